"""Texts of figures: from ``templates/figures``, names of networks, numbers and lists."""

import functools
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import models
from models import UsageError

Lang = Literal["zh", "en"]

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
FOLDER = TEMPLATES / "figures"


class Words:
    """The texts of one figure in one language, and those that all figures share.

    ``words("key", name=value)`` is the text with its values filled in.
    """

    def __init__(self, figure: str, lang: Lang) -> None:
        self.lang = lang
        self._figure = figure
        self._texts = _read("common") | _read(figure)

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key.

        Raises:
            UsageError: the file lacks it in this language, or it asks for a value that is not
                given.
        """
        try:
            return str(self._texts[key][self.lang]).format_map(values)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise UsageError(
                f"templates/figures/{self._figure}.toml: {key} ({self.lang}) is missing or asks "
                f"for a value that is not given: {error}"
            ) from None

    def name(self, variant: str) -> str:
        """How a variant is printed: ``ResNet50-paper`` as "ResNet-50 (paper)"."""
        network, *options = variant.split("-")
        title = models.NETWORKS[network].title
        if not options:
            return title
        names = [self(f"option_{o}") if f"option_{o}" in self._texts else o for o in options]
        return self("variant", network=title, options=self("comma").join(names))

    def operator(self, variant: str) -> str:
        """The operator of a variant of ResNet-18."""
        return self(f"operator_{variant}")

    def listed(self, items: Iterable[str]) -> str:
        """A list in running text."""
        texts = list(items)
        return self("comma").join([*texts[:-2], self("and").join(texts[-2:])])

    def clauses(self, parts: Iterable[str]) -> str:
        """Clauses, set off by semicolons."""
        return self("semicolon").join(parts)

    def sentences(self, parts: Iterable[str]) -> str:
        """The sentences that are not empty, joined by spaces where the language has them."""
        return self("space").join(filter(None, parts))


@functools.cache
def _read(figure: str) -> dict[str, Any]:
    path = FOLDER / f"{figure}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"templates/figures/{path.name}: cannot be read: {reason}") from None


def percent(fraction: float) -> str:
    """A fraction as a percentage to two decimals."""
    return f"{fraction:.2%}"


def number(value: float) -> str:
    """Three significant digits; very large and small numbers as powers of ten."""
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e4:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa} × 10{superscript(int(exponent))}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.3g}".removesuffix(".")


def loss(value: float) -> str:
    """A loss in nats to three decimals."""
    return f"{value:.3f}" if value < 1e4 else number(value)


def superscript(exponent: int) -> str:
    """An exponent as raised digits."""
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
