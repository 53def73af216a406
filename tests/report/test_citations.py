"""The reference list: entries as people have them, in the styles of both languages."""

import html
import logging
import re
import shutil
import time
import tomllib
from pathlib import Path

import pytest

from report import lint
from report.base.errors import TEMPLATES, ReportError
from report.blocks import bibtex
from report.blocks.citations import Bibliography, faults

HERE = Path(__file__).parent
WORKS = HERE / "citations.bib"
EXPECTED = tomllib.loads((HERE / "citations.toml").read_text(encoding="utf-8"))
GB_2015 = "china-national-standard-gb-t-7714-2015-numeric"


def folder(tmp_path: Path, bib: str, settings: str = "") -> Path:
    (tmp_path / "style").mkdir(exist_ok=True)
    shutil.copy(TEMPLATES / "style/gb-t-7714-2025-numeric.csl", tmp_path / "style")
    (tmp_path / "references.bib").write_text(bib, encoding="utf-8")
    (tmp_path / "report.toml").write_text(settings, encoding="utf-8")
    return tmp_path / "references.bib"


def printed(path: Path, lang: str, *keys: str) -> list[str]:
    """The list of a document that cites these works, without its links."""
    works = Bibliography(path, lang)
    for key in keys:
        works.number(key, None)
    texts = [re.sub(r"</?(?:a|span|wbr)\b[^>]*>", "", text) for _, text in works.entries()]
    return [*map(html.unescape, texts)]


def gb(tmp_path: Path, bib: str, settings: str = "") -> str:
    path = folder(tmp_path, bib, settings)
    (key,) = bibtex.read(path).records
    return printed(path, "zh", key)[0]


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    path = folder(tmp_path_factory.mktemp("works"), WORKS.read_text(encoding="utf-8"))
    return {
        style: dict(zip(EXPECTED, printed(path, lang, *EXPECTED), strict=True))
        for style, lang in (("gb", "zh"), ("ieee", "en"))
    }


@pytest.mark.parametrize("style", ["gb", "ieee"])
@pytest.mark.parametrize("key", EXPECTED)
def test_an_entry_is_printed_by_the_standard(lists, key, style):
    assert lists[style][key] == EXPECTED[key][style]


def test_every_entry_of_the_table_is_there_and_none_is_refused():
    library = bibtex.read(WORKS)
    assert list(library.records) == list(EXPECTED)
    assert not library.faults


@pytest.mark.parametrize(
    ("entry", "mark"),
    [
        ("@article{a, title={T}, journal={J}}", "[J]"),
        ("@article{a, title={T}, journal={J}, doi={10.1/x}}", "[J/OL]"),
        ("@inproceedings{a, title={T}, booktitle={B}}", "[C]//B"),
        ("@book{a, title={T}}", "[M]"),
        ("@incollection{a, title={T}, booktitle={B}}", "[M]//B"),
        ("@phdthesis{a, title={T}, school={S}}", "[D]. S"),
        ("@techreport{a, title={T}, institution={I}}", "[R]. I"),
        ("@online{a, title={T}, url={http://x.org}}", "[EB/OL]"),
        ("@software{a, title={T}, url={http://x.org}}", "[CP/OL]"),
        ("@dataset{a, title={T}, url={http://x.org}}", "[DS/OL]"),
        ("@patent{a, title={T}, number={N1}}", "T: N1[P]"),
        ("@standard{a, title={T}, number={N1}}", "N1 T[S]"),
        ("@misc{a, title={T}, eprint={1701.09175}, archiveprefix={arXiv}}", "[PP/OL]"),
    ],
)
def test_a_work_bears_the_mark_of_its_kind(tmp_path, entry, mark):
    assert mark in gb(tmp_path, entry)


@pytest.mark.parametrize(
    ("authors", "shown"),
    [
        ("Doe, Jane and Roe, R. and Poe, E. and Moe, M.", "Doe J, Roe R, Poe E, et al."),
        ("张三 and 李四 and 王五 and 赵六", "张三, 李四, 王五, 等."),
        ("Doe, Jane and others", "Doe J, et al."),
        ("张三 and others", "张三, 等."),
        ("张, 三", "张三."),
        ("{NVIDIA Corporation}", "NVIDIA Corporation."),
        ("Kaiser, {\\L}ukasz and Jean-Luc Godard", "Kaiser Ł, Godard J-L."),
        ("Doe, Jane and \\L{}ukasz, K.", "Doe J, Łukasz K."),
        ("Jane Doe, Rick Roe, Eve Poe", "Doe J, Roe R, Poe E."),
        ("family=Beethoven, given=Ludwig, prefix=van", "van Beethoven L."),
    ],
)
def test_names_and_what_stands_for_the_rest_of_them(tmp_path, authors, shown):
    assert gb(tmp_path, f"@book{{a, author={{{authors}}}, title={{T}}}}").startswith(f"{shown} T")


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        (r"On \emph{MNIST}", "On <i>MNIST</i>"),
        (r"{\ss} {\c{c}} \'{e} {\'\i} \v{S} \H{o} \k{a}", "ß ç é í Š ő ą"),
        (r"The $\ell_1$ norm, $10^{-3}$, $H_{2}O$", "The ℓ<sub>1</sub> norm, 10<sup>−3</sup>, "
         "H<sub>2</sub>O"),
        (r"A 50% rise, C\# \& R&amp;D", "A 50% rise, C# & R&D"),
        ("``So'' said `he', it's", "“So” said ‘he’, it’s"),
        ("One--two --- three~four", "One–two — three four"),
        (r"\unknown{kept} {\LaTeX}", "kept LaTeX"),
        (r"\href{https://x.y}{Linked}, $5, \textgreater{} 3", "Linked, $5, > 3"),
        ("{{Double Braces}}.", "Double Braces"),
        ("<i>E. coli</i> <script>x</script>", "<i>E. coli</i> <script>x</script>"),
    ],
)  # fmt: skip
def test_tex_in_a_title_is_text(tmp_path, tex, shown):
    assert gb(tmp_path, f"@book{{a, title={{{tex}}}}}") == f"{shown}[M]."


def test_what_is_no_markup_is_escaped(tmp_path):
    path = folder(tmp_path, "@book{a, title={<script>alert(1)</script> \ue100}}")
    works = Bibliography(path, "en")
    works.number("a", None)
    ((_, text),) = works.entries()
    assert "&lt;script&gt;" in text and "<script" not in text and "\ue100" not in text


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ("year={2020}, month={{jan}}", "(2020-01)"),
        ("year=2020, month=10 # {~} # jan", "(2020-01-10)"),
        ("date={2020-05-17}", "(2020-05-17)"),
        ("date={2020-05/2020-06}", "(2020-05)"),
        ("date={2020}, urldate={2026-11-25}", "(2020)[2026-11-25]"),
        ("year={2020}, note={Accessed: 2021-03-04}", "(2020)[2021-03-04]"),
        ("year={2020a}", "(2020)"),
        ("year={in press}", "T[EB/OL]. http"),
    ],
)
def test_dates_of_bibtex_and_biblatex(tmp_path, fields, shown):
    assert shown in gb(tmp_path, f"@online{{a, title={{T}}, url={{http://x.org}}, {fields}}}")


def test_the_style_is_a_key_of_report_toml(tmp_path):
    entry = "@article{a, author={Doe, Jane}, title={T}, journal={J}, year=2001}"
    assert gb(tmp_path, entry).startswith("Doe J. ")
    assert gb(tmp_path, entry, f'[zh]\nreferences = "{GB_2015}"\n').startswith("DOE J. ")
    with pytest.raises(ReportError, match=r"report\.toml:1: no citation style 'apa7x'"):
        gb(tmp_path, entry, '[zh]\nreferences = "apa7x"\n')


BROKEN = """\
@article{good, title={Good}, journal={J}}
@article{brace,
  title = {A title without its brace,
  year = {2020}
}
@article{after, title={After}, journal={J}}
@article{good, title={Again}}
@article{comma, title={x} year=2000}
@article{equals, title {x}}
@misc{untitled, year=2001}
@misc{twice, title={One}, title={Two}}
@article{, title={x}}
@misc{open, title = "never closed
"""


def test_faults_are_named_at_once_and_refuse_only_what_is_cited(tmp_path):
    path = folder(tmp_path, BROKEN)
    missing = "a brace, a quotation mark or a comma is missing"
    started = time.process_time()
    found = [line.partition("references.bib:")[2] for line in faults(path)]
    assert time.process_time() - started < 1
    assert found == [
        f"2: entry 'brace' cannot be read: {missing}",
        "7: the key 'good' is there twice; the first entry counts",
        "8: entry 'comma' cannot be read: "
        "its field 'title' is not one value; is a comma or a brace missing?",
        f"9: entry 'equals' cannot be read: {missing}",
        "10: entry 'untitled' cannot be read: it has no title",
        "11: entry 'twice' has title twice; the first counts",
        "12: an entry cannot be read: it has no key",
        f"13: entry 'open' cannot be read: {missing}",
    ]
    assert [place.line for place, _ in lint._works(tmp_path)] == [2, 7, 8, 9, 10, 11, 12, 13]
    assert printed(path, "zh", "good", "after", "twice")[1:] == ["After[J]. J.", "One[Z]."]
    with pytest.raises(ReportError, match=r"references\.bib:2: entry 'brace' cannot be read"):
        printed(path, "zh", "brace")


@pytest.mark.parametrize("content", ["@article{x", "@", "\0\0", "@article{a, title = {{{{}", "}"])
def test_works_that_are_none_are_named_or_none(tmp_path, content):
    with pytest.raises(ReportError, match=r"references\.bib:1: |unknown cite key"):
        printed(folder(tmp_path, content), "en", "he2016")


def test_a_part_finds_its_whole_whatever_the_case_of_the_key(tmp_path):
    whole = "@proceedings{CONF, title={Proc. of X}, year={2017}}"
    path = folder(tmp_path, f"@inproceedings{{a, crossref={{Conf}}, title={{T}}}}\n{whole}")
    assert "//Proc. of X" in printed(path, "zh", "a")[0]


def test_keys_are_taken_as_written(tmp_path):
    path = folder(tmp_path, "@book{DBLP:conf/X, title={A}}\n@book{He2016, title={B}}")
    assert printed(path, "en", "He2016", "DBLP:conf/X") == ["<i>B</i>.", "<i>A</i>."]
    with pytest.raises(ReportError, match="did you mean 'He2016'"):
        printed(path, "en", "he2016")


def test_reading_is_fast_and_quiet(tmp_path, capfd, caplog):
    path = folder(tmp_path, BROKEN + WORKS.read_text(encoding="utf-8") * 2)
    started = time.process_time()
    with caplog.at_level(logging.WARNING):
        faults(path)
    assert time.process_time() - started < 0.3
    assert not caplog.records and capfd.readouterr() == ("", "")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_works_of_the_report_can_all_be_printed(lang):
    path = TEMPLATES / "references.bib"
    library = bibtex.read(path)
    assert not library.faults
    texts = printed(path, lang, *library.records)
    for (key, record), text in zip(library.records.items(), texts, strict=True):
        assert not re.search(r"[{}\\\ue100-\ue1ff]|\.\.|,,| ,|None", text), text
        if "url" in record.fields or "eprint" in record.fields:
            assert "urldate" in record.fields, f"{key} is online: when was it looked at?"
