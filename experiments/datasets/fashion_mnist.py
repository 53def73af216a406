"""Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): 70,000 pictures of clothes in MNIST's form."""

import io
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from experiments.datasets.base import IDX_FILES, Dataset, idx_hashes, read_idx
from experiments.datasets.download import mirror, output_of

_PACKAGE = "dataset-fashion-mnist"


def from_debian(_: Dataset) -> dict[str, bytes]:
    """The four files of Debian's package, which is downloaded, never installed."""
    with tempfile.TemporaryDirectory() as folder:
        output_of(["apt-get", "-q", "download", _PACKAGE], folder)
        package = next(Path(folder).glob("*.deb"))
        archive = output_of(["dpkg-deb", "--fsys-tarfile", str(package)], folder)
    return from_tar(archive)


def from_tar(archive: bytes) -> dict[str, bytes]:
    """The four files from a tar archive that holds them, in any of its folders.

    Raises:
        ValueError: one of them is missing.
    """
    files = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            name = PurePosixPath(member.name).name.removesuffix(".gz")
            if name in IDX_FILES and member.isfile() and (stream := tar.extractfile(member)):
                files[name] = stream.read()
    if missing := set(IDX_FILES) - files.keys():
        raise ValueError(f"the archive holds no {min(missing)}")
    return files


DATASET = Dataset(
    name="FashionMNIST",
    title="Fashion-MNIST",
    classes={
        "zh": ("T 恤", "裤子", "套头衫", "连衣裙", "外套", "凉鞋", "衬衫", "运动鞋", "包", "短靴"),
        "en": (
            "T-shirt", "trouser", "pullover", "dress", "coat",
            "sandal", "shirt", "sneaker", "bag", "boot",
        ),
    },
    sha256=idx_hashes(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    sources=(
        mirror("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
        (f"Debian's package {_PACKAGE}", from_debian),
    ),
    read=read_idx,
)  # fmt: skip
