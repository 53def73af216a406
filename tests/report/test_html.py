"""The page: where its numbers come from, that both languages agree, that it stands alone."""

import json
import re
from html import unescape

import lxml.html
import pytest
from lxml import etree

from analysis.figures.common import theme
from report import build
from report.blocks.pictures import for_page
from tests import factory
from tests.report_kit import SVG, built, material

pytestmark = pytest.mark.pipeline


class Page:
    """Every element's tag and attributes, and every number's source, value and text."""

    def __init__(self, html):
        root = lxml.html.document_fromstring(html, lxml.html.HTMLParser(huge_tree=True))
        sources = json.loads(root.get_element_by_id("sources").text)
        self.elements = [(each.tag, each.attrib) for each in root.iter(etree.Element)]
        self.numbers = []
        for each in root.xpath("//data | //*[contains(concat(' ', @class, ' '), ' n ')]"):
            index = each.get("data-source")
            values = (each.get("value") or each.get("data-value")).split()
            source = sources[int(index)] if index else None
            self.numbers.append((source, values[-1], each.text_content()))


@pytest.fixture(scope="module")
def html():
    return (built() / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_ids_are_unique_and_links_lead_somewhere(page):
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    links = [found["href"] for tag, found in page.elements if tag == "a" and "href" in found]
    inner = {unescape(link[1:]) for link in links if link.startswith("#")}
    assert inner <= {*ids, ""}  # "#" is the top
    outer = [link for link in links if not link.startswith(("#", "http"))]
    assert all((built() / link).is_file() for link in outer)  # figures, tables and the PDFs
    assert len(outer) > 100


def test_nothing_is_loaded_from_elsewhere(page):
    for tag, found in page.elements:
        for name in ("src", "srcset", "data", "poster"):
            assert not (found.get(name) or "").startswith(("http", "//")), (tag, found)
        if tag == "link":
            assert found["href"].startswith("data:")
        if tag in ("use", "image"):
            start = {"use": "#", "image": "data:image/"}[tag]
            assert (found.get("href") or found.get("xlink:href")).startswith(start)


def test_every_number_of_a_record_is_what_the_record_says(page):
    records = factory.make()
    sources = [source.split("; ") for source, _, _ in page.numbers if source]
    assert {part.split()[0] for parts in sources for part in parts} == set(records.by_id)
    checked = 0
    for source, number, _ in page.numbers:
        if source and "; " not in source and "…" not in source:
            name, _, path = source.partition(" ")
            item = records.by_id[name]
            for part in path.split("."):
                item = item[int(part)] if part.isdigit() else getattr(item, part)
            # a confidence limit has the same source as the number that it limits
            checked += isinstance(item, int | float) and float(number) == pytest.approx(item)
    assert checked > 500


def test_both_languages_have_the_same_parts(page):
    parts = {"zh": [], "en": []}
    kinds = ("sec-", "fig-", "tab-", "eq-", "finding-", "work-", "run-")
    for tag, found in page.elements:
        lang, _, rest = found.get("id", "").partition("-")
        if lang in parts and rest.startswith(kinds):
            parts[lang].append((tag, rest, found.get("data-verdict")))
    assert parts["zh"] == parts["en"]
    assert len(parts["zh"]) > 80


def test_every_drawing_says_what_it_shows(page):
    for tag, found in page.elements:
        if tag == "svg" and "aria-hidden" not in found:
            assert found.get("role") == "img" and found.get("aria-label")


def test_drawings_follow_the_colours_of_the_page():
    coloured = SVG.replace("<text ", f'<text fill="{theme.INK.upper()}" ')
    svg = for_page(coloured, "en-x", material().inks)
    assert 'fill="var(--ink)"' in svg


# --- A change of one field -----------------------------------------------------------------------


def page_of(records):
    """The real page of these records, with one drawing for all figures."""
    return build.html(material(records))


def numbers(records):
    """Source and text of every number, in the order of the page."""
    return [(source, text) for source, _, text in Page(page_of(records)).numbers]


NAME = "ResNet34.s0"


def changed(field, value):
    """The numbers of the page where one field of a record is another."""
    changes = {field.replace(".", "__"): value}
    return numbers(factory.altered(factory.make(), NAME, **changes))


@pytest.fixture(scope="module")
def before():
    return numbers(factory.make())


@pytest.mark.parametrize(
    ("field", "value"),
    [("test.loss", 0.4567), ("validation.loss", 0.4567), ("timing.train_seconds", 55.5)],
)
def test_one_field_changes_what_depends_on_it_and_nothing_else(before, field, value):
    after = changed(field, value)
    differing = [one[0] for one, other in zip(before, after, strict=True) if one != other]
    assert set(differing) == {f"{NAME} {field}"}
    assert len(differing) >= 2 and len(differing) % 2 == 0  # in both languages


def test_an_accuracy_changes_only_places_that_name_it(before):
    one, other = set(before), set(changed("test.accuracy", 0.9740))  # no other rank
    for source, _ in one ^ other:
        assert source is None or NAME in source
    assert (f"{NAME} test.accuracy", "97.40%") in other


# --- What is missing -----------------------------------------------------------------------------


def test_it_builds_without_some_runs_and_says_which():
    missing = ("SEResNet18", "LeNet", "ResNet18", "PlainNet34")
    html = page_of(factory.make(without=missing))
    for name in missing:
        assert html.count(f"<code>{name}.s0</code>") >= 2
    assert 'data-verdict="not_testable"' in html


def test_it_is_small_enough_to_send_and_says_that_it_is_of_part_of_the_setting(html):
    assert len(html.encode()) < 5_000_000
    assert html.count('class="banner"') == 2
    assert not re.search(r'aria-label="[^"]*<', html)  # a tag never opens within an attribute


def test_several_seeds_are_counted():
    html = page_of(factory.make(seeds=3))
    assert "over seeds and images" in html and "种子与图像均计入" in html


@pytest.mark.parametrize(
    ("tag", "command"),
    [
        ("", "make experiment MODEL=ResNet18 PROFILE=quick SEED=0"),
        ("-mul", "make experiment MODEL=ResNet18 PROFILE=quick SEED=0 RESIDUAL=mul"),
        ("-mul-nobn", "make experiment MODEL=ResNet18 PROFILE=quick SEED=0 RESIDUAL=mul NO_BN=1"),
        ("-softmax", "make all PROFILE=quick"),
    ],
)
def test_a_card_says_how_to_repeat_the_run(html, tag, command):
    card = html[html.index(f'id="en-run-ResNet18{tag}"') :].partition("</template>")[0]
    assert f">{command}</pre>" in card
