"""Selected fields of a document have the same bytes as in the whole document."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.archive.archive import COLLECTIONS
from app.archive.release import build_archive
from app.responses.representations import select_fields
from tests.conftest import SEED
from tests.support.random_seeds import SHAPES, SeedWriter


def documents_of(seed: Path, folder: Path) -> list[tuple[str, bytes]]:
    """Every document of a seed, with the name of its collection."""
    archive = folder / "archive.sqlite"
    build_archive(seed, archive)
    with closing(sqlite3.connect(archive)) as connection:
        return [
            (name, document.encode())
            for name in COLLECTIONS
            for (document,) in connection.execute(f"SELECT document FROM {name}")  # noqa: S608 - names of collections
        ]


@pytest.mark.parametrize("shape", ["shipped", "one of each, all given", "many", "long texts"])
def test_each_field_keeps_its_bytes(shape: str, tmp_path: Path) -> None:
    """The members that single fields select, put together, are the whole document."""
    seed = SEED if shape == "shipped" else SeedWriter(SHAPES[shape], 1).write(tmp_path)
    documents = documents_of(seed, tmp_path)
    assert documents
    for collection, document in documents:
        fields = COLLECTIONS[collection].document_fields()
        assert list(json.loads(document)) == list(fields)
        only_id = select_fields(document, frozenset({"id"}))
        members = [
            select_fields(document, frozenset({"id", field}))[len(only_id) : -1]
            for field in fields
            if field != "id"
        ]
        assert b"%b%b}" % (only_id[:-1], b"".join(b"," + member for member in members)) == document


def test_all_fields_are_the_whole_document() -> None:
    """Without fields, and with all of them, nothing changes."""
    document = b'{"id":"a","title":"\\u0001 } \\"id\\": ]","links":{"self":"/"}}'
    assert select_fields(document, frozenset()) == document
    assert select_fields(document, frozenset({"id", "title", "links"})) == document
    assert select_fields(document, frozenset({"id", "links"})) == b'{"id":"a","links":{"self":"/"}}'
