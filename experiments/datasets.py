"""The data sets: what identifies their files, and what their classes are called.

All have MNIST's form: four IDX files, 60,000 training and 10,000 test images of 28 x 28 grey
levels, ten classes. EMNIST's digits are brought into it (``experiments.emnist``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from models import UsageError

DatasetName = Literal["MNIST", "FashionMNIST", "KMNIST", "EMNIST"]

#: The four files of every data set, and how many bytes each has.
FILES = {
    "train-images-idx3-ubyte": 47_040_016,
    "train-labels-idx1-ubyte": 60_008,
    "t10k-images-idx3-ubyte": 7_840_016,
    "t10k-labels-idx1-ubyte": 10_008,
}
#: What EMNIST is published as, and how many bytes it has.
ARCHIVE, ARCHIVE_SIZE = "gzip.zip", 561_753_746
#: Side of every image in pixels, and number of classes.
SIDE, CLASSES = 28, 10


@dataclass(frozen=True)
class Dataset:
    """One data set.

    Attributes:
        name: as configurations and torchvision call it.
        title: as it is printed.
        classes: names of the ten classes by language; a digit's is the digit.
        sha256: of each file; of the files as published, with ``.gz``, if ``packed``; of the
            archive that is published instead of files, if it is had from one.
        packed: the published compressed files are what is known.
    """

    name: DatasetName
    title: str
    classes: Mapping[Literal["zh", "en"], tuple[str, ...]]
    sha256: Mapping[str, str]
    packed: bool = False

    @property
    def original(self) -> bool:
        """Whether it is that of the original write-up."""
        return self.name == USUAL

    @property
    def archive(self) -> str | None:
        """Name of the one archive that holds the four files, where it is that which is known."""
        return ARCHIVE if ARCHIVE in self.sha256 else None

    @property
    def slug(self) -> str:
        """Its name in names of profiles and folders of records: ``fashionmnist``."""
        return self.name.lower()

    @property
    def variable(self) -> str:
        """The environment variable that names a folder which holds the files."""
        return f"{self.name.upper()}_DIR"


_DIGITS = tuple("0123456789")

_ALL = (
    Dataset(
        "MNIST",
        "MNIST",
        {"zh": _DIGITS, "en": _DIGITS},
        {
            "train-images-idx3-ubyte": (
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
            ),
            "train-labels-idx1-ubyte": (
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
            ),
            "t10k-images-idx3-ubyte": (
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
            ),
            "t10k-labels-idx1-ubyte": (
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
            ),
        },
    ),
    Dataset(
        "FashionMNIST",
        "Fashion-MNIST",
        {
            "zh": (
                "T 恤", "裤子", "套头衫", "连衣裙", "外套", "凉鞋", "衬衫", "运动鞋", "包", "短靴",
            ),
            "en": (
                "T-shirt", "trouser", "pullover", "dress", "coat",
                "sandal", "shirt", "sneaker", "bag", "boot",
            ),
        },
        {
            "train-images-idx3-ubyte": (
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
            ),
            "train-labels-idx1-ubyte": (
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
            ),
            "t10k-images-idx3-ubyte": (
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
            ),
            "t10k-labels-idx1-ubyte": (
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
            ),
        },
    ),
    Dataset(
        "KMNIST",
        "Kuzushiji-MNIST",
        {
            "zh": tuple("おきすつなはまやれを"),
            "en": ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        },
        {
            "train-images-idx3-ubyte": (
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"
            ),
            "train-labels-idx1-ubyte": (
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"
            ),
            "t10k-images-idx3-ubyte": (
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"
            ),
            "t10k-labels-idx1-ubyte": (
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"
            ),
        },
        packed=True,
    ),
    Dataset(
        "EMNIST",
        "EMNIST-Digits",
        {"zh": _DIGITS, "en": _DIGITS},
        {ARCHIVE: "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"},
    ),
)  # fmt: skip

DATASETS: dict[DatasetName, Dataset] = {dataset.name: dataset for dataset in _ALL}
#: That of the original, which the study is of unless another is asked for.
USUAL: DatasetName = "MNIST"
BY_SLUG = {dataset.slug: dataset for dataset in _ALL}


def resolve(name: str) -> Dataset:
    """A data set by its name or title, in whatever case and with or without hyphens.

    Raises:
        UsageError: no such data set.
    """
    plain = name.lower().replace("-", "")
    titles = {dataset.title.lower().replace("-", ""): dataset for dataset in _ALL}
    found = (titles | BY_SLUG).get(plain)
    if found is None:
        known = ", ".join(get_args(DatasetName))
        raise UsageError(f"unknown dataset {name!r}; expected one of {known}.")
    return found
