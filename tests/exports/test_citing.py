"""Citations in each format, for ordinary and for odd titles."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from app.exports.citing import bibtex, cited_resource, csl_json, plain_text, ris
from tests.support.works import ODD_TEXTS, WORK, odd_work

BIBTEX = """\
@dataset{us-peru-record-2026-11-24,
  author = {{US–Peru record maintainers}},
  title = {{US}–{Peru} {Child} {Protection} {Compact:} record of a program},
  year = {2026},
  month = nov,
  publisher = {{An Archive \\& Co}},
  url = {https://record.example/v1/releases/2026-11-24.2},
  annotation = {Based on: U.S. Department of State, A page, \
https://archive.example/a\\_page?a=1\\&b=\\%20\\#top},
  date = {2026-11-24},
  version = {2026-11-24.2},
}

@misc{us-peru-record-2026-11-24-misc,
  author = {{US–Peru record maintainers}},
  title = {{US}–{Peru} {Child} {Protection} {Compact:} record of a program},
  year = {2026},
  month = nov,
  publisher = {{An Archive \\& Co}},
  url = {https://record.example/v1/releases/2026-11-24.2},
  annotation = {Based on: U.S. Department of State, A page, \
https://archive.example/a\\_page?a=1\\&b=\\%20\\#top},
  note = {Version 2026-11-24.2},
}
"""
RIS = """\
TY  - DATA
ID  - us-peru-record-2026-11-24
AU  - US–Peru record maintainers,
TI  - US–Peru Child Protection Compact: record of a program
PY  - 2026
DA  - 2026/11/24/
ET  - 2026-11-24.2
PB  - An Archive & Co
UR  - https://record.example/v1/releases/2026-11-24.2
N1  - Based on: U.S. Department of State, A page, https://archive.example/a_page?a=1&b=%20#top
LA  - en
ER  - 
"""  # noqa: W291 - the tag ends with a space


def test_csl_json_is_a_list_of_one_item() -> None:
    """The item has an institution, the whole date as numbers, the label as a string; no access."""
    assert json.loads(csl_json(WORK)) == [
        {
            "id": "us-peru-record-2026-11-24",
            "type": "dataset",
            "title": WORK.title,
            "author": [{"literal": "US–Peru record maintainers"}],
            "issued": {"date-parts": [[2026, 11, 24]]},
            "version": "2026-11-24.2",
            "publisher": "An Archive & Co",
            "URL": "https://record.example/v1/releases/2026-11-24.2",
            "note": WORK.note,
            "language": "en",
        }
    ]


def test_bibtex_has_a_dataset_and_its_twin() -> None:
    """Names are in braces, and proper names of the title too, on both sides of a dash."""
    assert bibtex(WORK).decode() == BIBTEX


def test_ris_ends_with_its_tag() -> None:
    """Each value is on a line of its own, and the record is closed."""
    assert ris(WORK).decode() == RIS.replace("\n", "\r\n")


def test_text_is_one_line() -> None:
    """The text has author, year, title, version, publisher and address."""
    assert plain_text(WORK).decode() == (
        "US–Peru record maintainers. (2026). US–Peru Child Protection Compact: record of a program "
        "(Version 2026-11-24.2) [Data set]. An Archive & Co. "
        "https://record.example/v1/releases/2026-11-24.2\n"
    )


def test_what_is_unknown_is_left_out() -> None:
    """Without publisher and sources, no format has an empty field."""
    work = replace(WORK, publisher=None, note="")
    assert "publisher" not in bibtex(work).decode()
    assert "annotation" not in bibtex(work).decode()
    assert not {"publisher", "note"} & set(json.loads(csl_json(work))[0])
    assert not re.search(r"^(PB|N1)", ris(work).decode(), re.MULTILINE)
    assert "[Data set]. https://" in plain_text(work).decode()


@pytest.mark.parametrize("field", ["title", "name"])
def test_a_resource_is_named_with_its_record(field: str) -> None:
    """The title of a resource has its type and id and the record, on one line."""
    document = {"id": "peru-ilo", field: "An\naward\u2028 of\ttwo\x85lines"}
    work = cited_resource(WORK, document, "award")
    assert work.title == f"An award of two lines (award peru-ilo), in {WORK.title}"
    assert work.key == "us-peru-record-2026-11-24-award-peru-ilo"
    assert replace(work, title=WORK.title, key=WORK.key) == WORK


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_braces_of_bibtex_are_balanced(name: str) -> None:
    """BibTeX finds the end of each value by counting braces, escaped or not."""
    text = bibtex(odd_work(name)).decode()
    depth = 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth in range(5)
        if character == "\n":
            assert depth in (0, 1)
    assert depth == 0


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_tags_of_ris_are_not_in_texts(name: str) -> None:
    """A record has one line a tag, and begins and ends once."""
    lines = ris(odd_work(name)).decode().split("\r\n")
    tags = [re.match(r"([A-Z][A-Z0-9])  - ", line) for line in lines[:-1]]
    assert all(tags)
    names = [tag[1] for tag in tags if tag]
    assert (names[0], names[-1], lines[-1]) == ("TY", "ER", "")
    assert len(set(names)) == len(names) == 12


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_names_of_institutions_in_ris_have_one_comma(name: str) -> None:
    """The comma at the end keeps a name whole; another would split it."""
    (author,) = re.findall(r"^AU  - (.*)\r$", ris(odd_work(name)).decode(), re.MULTILINE)
    assert author.count(",") == 1
    assert author.endswith(",")
