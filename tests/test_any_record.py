"""The code names no record: what is said about one comes from the served seed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.models import RESOURCES
from app.models.text_folding import fold
from tests.conftest import ROOT, SEED

SHIPPED: dict[str, Any] = json.loads(SEED.read_text("utf-8"))
SUFFIXES = {".py", ".html", ".j2", ".css", ".js", ".svg"}
NAMING_FIELDS = ("name", "short_name", "aliases")
VALUE_FIELDS = (
    "id", "iso_3166_2", "wikidata", "sha256", "url", "signed", "archived_from", "archived_to",
)  # fmt: skip
STANDARD_TERMS = {
    "child", "compact", "cpc", "government", "international", "labor", "organization",
    "partnership", "protection", "state", "states",
}  # fmt: skip
"""Words of names in the shipped record that the contract or English has too."""


def texts(*fields: str) -> Iterator[str]:
    """Values of these fields in every resource of the shipped record."""
    for model in RESOURCES:
        for entry in SHIPPED[model.collection]:
            for field in fields:
                value = entry.get(field)
                yield from value if isinstance(value, list) else filter(None, [value])


def proper_names() -> set[str]:
    """Capitalized words of the record's names, without case and accents."""
    named = [SHIPPED["title"], *SHIPPED["keywords"], *texts(*NAMING_FIELDS)]
    words = (word for text in named for word in re.findall(r"\b[A-Z]\w+", text))
    return {fold(word) for word in words if len(word) > 2}


def code() -> Iterator[tuple[Path, str]]:
    """Every file of the application, as text without case and accents."""
    for path in sorted((ROOT / "app").rglob("*")):
        if path.suffix in SUFFIXES:
            yield path.relative_to(ROOT), fold(path.read_text("utf-8"))


def test_the_code_has_no_name_of_the_record() -> None:
    """No proper name of the shipped record is in the application, except standard terms."""
    names = proper_names() - STANDARD_TERMS
    assert {"peru", "lima", "cusco", "loreto", "ilo", "yanapanakusun", "tip"} <= names
    found = {
        str(path): sorted(names.intersection(re.findall(r"[^\W_]+", text))) for path, text in code()
    }
    assert {path: words for path, words in found.items() if words} == {}


def test_the_code_has_no_id_code_or_date_of_the_record() -> None:
    """No id of the shipped record is in the application, nor a code, a digest or a whole date."""
    values = {fold(value) for value in texts(*VALUE_FIELDS) if len(value) > 5}
    assert {"tip-office", "pe-lma", "2017-06-15"} <= values
    found = [(path, value) for path, text in code() for value in values if value in text]
    assert found == []


@pytest.mark.parametrize("term", sorted(STANDARD_TERMS))
def test_standard_terms_are_in_use(term: str) -> None:
    """Each exception is a word of the record that the application uses."""
    assert term in proper_names()
    assert any(term in re.findall(r"[^\W_]+", text) for _, text in code())
