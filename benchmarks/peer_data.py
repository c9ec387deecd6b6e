"""A compiled corpus in the peers' formats: plain columns, join tables and full text."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

_SCALARS = (
    "id", "partnership", "recipient", "title", "summary", "announced", "announced_first",
    "announced_last", "ends", "amount", "currency", "amount_qualifier", "has_sub_recipients",
)  # fmt: skip
_LISTS = ("objectives", "regions", "trafficking_forms", "not_stated")
_TABLES = """
CREATE TABLE awards (
    id TEXT PRIMARY KEY, partnership TEXT, recipient TEXT, title TEXT, summary TEXT,
    announced TEXT, announced_first TEXT, announced_last TEXT, ends TEXT, amount INTEGER,
    currency TEXT, amount_qualifier TEXT, has_sub_recipients BOOLEAN, objectives TEXT, regions TEXT,
    trafficking_forms TEXT, not_stated TEXT
);
CREATE TABLE objectives (id TEXT PRIMARY KEY);
CREATE TABLE regions (id TEXT PRIMARY KEY);
CREATE TABLE award_objectives (award TEXT, objective TEXT, PRIMARY KEY (award, objective));
CREATE TABLE award_regions (award TEXT, region TEXT, PRIMARY KEY (award, region));
CREATE TABLE award_trafficking_forms (
    award TEXT, trafficking_form TEXT, PRIMARY KEY (award, trafficking_form)
);
INSERT INTO objectives SELECT id FROM archive.objectives;
INSERT INTO regions SELECT id FROM archive.regions;
INSERT INTO award_objectives SELECT award, objective FROM archive.award_objectives;
INSERT INTO award_regions SELECT award, region FROM archive.award_regions;
INSERT INTO award_trafficking_forms
    SELECT award, trafficking_form FROM archive.award_trafficking_forms;
CREATE TABLE resources (number INTEGER PRIMARY KEY, type TEXT, id TEXT, title TEXT, body TEXT);
INSERT INTO resources SELECT rowid, type, id, title, body FROM archive.search;
CREATE VIRTUAL TABLE resources_fts USING fts5(
    title, body, content="resources", content_rowid="number",
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
INSERT INTO resources_fts (resources_fts) VALUES ('rebuild');
"""
_INDEXES = """
CREATE INDEX awards_announced ON awards (announced_first, id);
CREATE INDEX awards_announced_last ON awards (announced_last);
CREATE INDEX awards_partnership ON awards (partnership);
CREATE INDEX awards_recipient ON awards (recipient);
CREATE INDEX award_forms ON award_trafficking_forms (trafficking_form, award);
ANALYZE;
"""


def write_peer_data(archive: Path, folder: Path) -> None:
    """Write `peers.sqlite` (awards and full text) and `awards.ndjson` into a directory."""
    database = folder / "peers.sqlite"
    database.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("ATTACH ? AS archive", (str(archive),))
        connection.executescript(_TABLES)
        awards = list(_awards(connection))
        placeholders = ", ".join("?" for _ in (*_SCALARS, *_LISTS))
        connection.executemany(
            f"INSERT INTO awards VALUES ({placeholders})",  # noqa: S608 - question marks only
            ([*(award[name] for name in _SCALARS), *(_as_json(award[name]) for name in _LISTS)]
             for award in awards),
        )  # fmt: skip
        connection.executescript(_INDEXES)
    text = "".join(f"{json.dumps(award, ensure_ascii=False)}\n" for award in awards)
    (folder / "awards.ndjson").write_text(text, "utf-8")


def _awards(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    rows = connection.execute(
        "SELECT document, announced_first, announced_last FROM archive.awards"
    )
    for document, first, last in rows:
        award = json.loads(document)
        del award["links"]
        yield {**award, "announced_first": first, "announced_last": last}


def _as_json(values: list[str] | None) -> str | None:
    return None if values is None else json.dumps(values)
