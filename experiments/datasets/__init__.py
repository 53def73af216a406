"""The data sets of ten classes by name. Each is a module of this package that defines ``DATASET``.

``base`` defines the class, ``download`` gets the files, ``splits`` loads and splits the images.
Imports no torch.
"""

import importlib
import pkgutil
from typing import Annotated

from pydantic import AfterValidator

from experiments.datasets.base import USUAL as USUAL
from experiments.datasets.base import Dataset
from models.errors import UsageError

_INFRASTRUCTURE = ("base", "download", "splits")


def _discover() -> dict[str, Dataset]:
    """Every data set by name, the default first, the others alphabetically."""
    found: list[Dataset] = [
        importlib.import_module(f"{__name__}.{module.name}").DATASET
        for module in pkgutil.iter_modules(__path__)
        if module.name not in _INFRASTRUCTURE
    ]
    found.sort(key=lambda dataset: (not dataset.original, dataset.name))
    return {dataset.name: dataset for dataset in found}


DATASETS = _discover()
BY_SLUG = {dataset.slug: dataset for dataset in DATASETS.values()}


def _known(name: str) -> str:
    if name not in DATASETS:
        raise ValueError(f"expected one of {', '.join(DATASETS)}")
    return name


#: The name of a data set, as a field of a configuration.
DatasetName = Annotated[str, AfterValidator(_known)]


def resolve(name: str) -> Dataset:
    """A data set by its name or title, in any case and with or without hyphens.

    Raises:
        UsageError: no such data set.
    """
    titles = {dataset.title.lower().replace("-", ""): dataset for dataset in DATASETS.values()}
    found = (titles | BY_SLUG).get(name.lower().replace("-", ""))
    if found is None:
        raise UsageError(f"unknown dataset {name!r}; expected one of {', '.join(DATASETS)}.")
    return found
