"""The test images that the networks get wrong.

A record holds predictions but no images. For MNIST and Fashion-MNIST the images that most runs get
wrong are stored beside the figures, one bitmap per data set, so that the report needs no data set.
``python -m analysis.misread`` makes these bitmaps from the data sets and the project's records.
"""

import functools
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from analysis.evidence import Evidence, title
from analysis.records import Records
from analysis.schema import Misread, Mistakes
from analysis.tables.results import NETWORKS
from analysis.true_labels import as_digits, labels
from experiments.datasets import DATASETS, DatasetName
from experiments.record import RESULTS
from models.cli import run

ASSETS = Path(__file__).parent / "figures" / "assets"
#: Images stored per data set, grey levels of a stored image, and images per row of a bitmap.
KEPT, LEVELS, ROW = 1500, 16, 50
SIDE = 28


class Misreadings:
    """The mistakes of the results table's networks in their finished runs, on images common to all.

    ``answers``: predictions of each network's runs, ``(runs, images)`` uint8. ``truth``: true
    classes, ``(images,)`` uint8.
    """

    def __init__(self, records: Records) -> None:
        evidence = Evidence(records)
        given: dict[str, list[NDArray[np.uint8]]] = {}
        for variant in NETWORKS:
            tests = [run.test for run in evidence.finished(variant) if run.test is not None]
            if tests:
                given[variant] = [as_digits(test.predictions) for test in tests]
        images = min((len(row) for rows in given.values() for row in rows), default=0)
        self.truth = labels(records.dataset, "test")[:images]
        self.answers = {
            name: np.stack([row[:images] for row in rows]) for name, rows in given.items()
        }

    @functools.cached_property
    def all_answers(self) -> NDArray[np.uint8]:
        """The predictions of all runs, ``(runs, images)``."""
        return np.concatenate([*self.answers.values(), np.empty((0, len(self.truth)), np.uint8)])

    @functools.cached_property
    def misses(self) -> NDArray[np.int64]:
        """Number of runs that get each image wrong, ``(images,)``."""
        return np.asarray((self.all_answers != self.truth).sum(axis=0))

    @property
    def hardest(self) -> list[int]:
        """Every image that a run gets wrong, by decreasing number of such runs."""
        order = np.argsort(-self.misses, kind="stable")
        return [int(image) for image in order if self.misses[image]]

    @property
    def of_all(self) -> list[int]:
        """The images that, of every network, more than half of the runs get wrong."""
        wrong = [(rows != self.truth).mean(axis=0) > 0.5 for rows in self.answers.values()]
        return np.flatnonzero(np.all(wrong, axis=0)).tolist() if wrong else []

    def taken_for(self, image: int, answers: NDArray[np.uint8]) -> int:
        """The most frequent wrong class of an image among ``answers``."""
        given = answers[:, image]
        return Counter(given[given != self.truth[image]].tolist()).most_common(1)[0][0]


def summary(found: Misreadings, dataset: DatasetName) -> tuple[Misread, bytes]:
    """The entry of the results with every mistake, and a bitmap of the images that are stored."""
    shown = kept(dataset, found.hardest)
    of_all = [
        (image, found.taken_for(image, found.all_answers), int(found.misses[image]))
        for image in found.of_all
    ]
    networks = [Mistakes(title="", runs=len(found.all_answers), images=tuple(of_all))]
    for variant, answers in found.answers.items():
        images = [
            (image, answer, int((answers[:, image] == answer).sum()))
            for image in np.flatnonzero((answers != found.truth).any(axis=0)).tolist()
            for answer in sorted(set(answers[:, image].tolist()) - {int(found.truth[image])})
        ]
        networks.append(Mistakes(title=title(variant), runs=len(answers), images=tuple(images)))
    truth = {image: int(found.truth[image]) for image in found.hardest}
    return (
        Misread(truth=truth, shown=tuple(shown), row=ROW, networks=tuple(networks)),
        bitmap(list(shown.values())),
    )


# --- Images ---------------------------------------------------------------------------------------


def kept(dataset: DatasetName, images: Sequence[int]) -> dict[int, NDArray[np.uint8]]:
    """The pixels of those test images that are stored here, or of all from the data set's files.

    Raises:
        DataError: no images of the data set are stored, and the data set is not available.
    """
    path = _path(dataset)
    if path.exists():
        known = _read(path)
        return {image: known[image] for image in images if image in known}
    from experiments.datasets.splits import load

    pixels = load(dataset).test_images
    return {image: np.asarray(pixels[image]) for image in images}


def _path(dataset: DatasetName) -> Path:
    return ASSETS / f"{DATASETS[dataset].slug}-misread.png"


@functools.cache
def _read(path: Path) -> dict[int, NDArray[np.uint8]]:
    with Image.open(path) as file:
        numbers = [int(number) for number in file.info["images"].split()]
        pixels = np.asarray(file.convert("L"))
    rows = pixels.reshape(-1, SIDE, ROW, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE)
    return dict(zip(numbers, rows, strict=False))


def bitmap(images: Sequence[NDArray[np.uint8]], numbers: Sequence[int] = ()) -> bytes:
    """Images side by side, ``ROW`` per row, as a PNG of 16 grey levels; black without any."""
    height = max(1, -(-len(images) // ROW))
    tiles = np.zeros((height * ROW, SIDE, SIDE), np.uint8)
    for at, image in enumerate(images):
        tiles[at] = np.round(image / 255 * (LEVELS - 1)) * (255 // (LEVELS - 1))
    sheet = tiles.reshape(height, ROW, SIDE, SIDE).swapaxes(1, 2).reshape(height * SIDE, ROW * SIDE)
    drawn = Image.fromarray(sheet).quantize(LEVELS)
    info = PngInfo()
    info.add_text("images", " ".join(map(str, numbers)))
    out = io.BytesIO()
    drawn.save(out, format="png", optimize=True, bits=4, pnginfo=info if numbers else None)
    return out.getvalue()


def main() -> int:
    """Store the images of MNIST and Fashion-MNIST that the most runs get wrong."""
    from experiments.datasets.splits import load
    from experiments.support.files import write_atomically

    for profile in ("standard", "standard-fashionmnist"):
        records = Records.load(RESULTS / profile)
        images = Misreadings(records).hardest[:KEPT]
        pixels = load(records.dataset).test_images
        drawn = bitmap([np.asarray(pixels[image]) for image in images], images)
        write_atomically(_path(records.dataset), drawn)
    return 0


if __name__ == "__main__":
    run(main)
