"""Kuzushiji-MNIST (Clanuwat et al. 2018): 70,000 characters of old Japanese in MNIST's form."""

from experiments.datasets.base import Dataset, idx_hashes, read_idx
from experiments.datasets.download import mirror

DATASET = Dataset(
    name="KMNIST",
    title="Kuzushiji-MNIST",
    classes={
        "zh": tuple("おきすつなはまやれを"),
        "en": ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    },
    sha256=idx_hashes(
        "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    ),
    sources=(mirror("http://codh.rois.ac.jp/kmnist/dataset/kmnist/"),),
    read=read_idx,
    compressed=True,
)
