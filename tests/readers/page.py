"""docs/reading.md: its table of types, which is compared or renewed."""

from __future__ import annotations

import fcntl
import os
import re

import pytest

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "reading.md"
READERS = (
    "DuckDB",
    "polars",
    "pandas",
    "pyarrow",
    "R",
    "readr",
    "jsonlite",
    "RSQLite",
    "GDAL",
    "LibreOffice",
    "hyparquet",
)
"""In the order of the rows."""
COLUMNS = (
    "reader",
    "file and argument",
    "`08`",
    "`2017-10`",
    "`2017-06-15`",
    "first day",
    "`true`, null",
    "list, null",
    "amounts, all null",
)
_TABLE = re.compile(r"(?<=<!-- begin: types -->\n).*?(?=<!-- end: types -->)", re.DOTALL)


def check_types(reader: str, seen: list[list[str]]) -> None:
    """Compare the rows of a reader with those on the page; `RENEW_TOOLS_TABLE=1` writes them.

    A reader of another version may do otherwise: the test is skipped then, except in CI.
    """
    if os.environ.get("RENEW_TOOLS_TABLE"):
        _write(reader, seen)
        return
    documented = [row for row in _read(PAGE.read_text("utf-8")) if _reader(row) == reader]
    labels = [row[0] for row in documented]
    if labels != [row[0] for row in seen] and "CI" not in os.environ:
        pytest.skip(f"the page is about {labels}")
    assert documented == seen, "renew the table: RENEW_TOOLS_TABLE=1 with this test"


def _reader(row: list[str]) -> str:
    return row[0].partition(" ")[0]


def _read(page: str) -> list[list[str]]:
    found = _TABLE.search(page)
    assert found is not None
    lines = (line for line in found[0].splitlines() if line.startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines][2:]


def _write(reader: str, seen: list[list[str]]) -> None:
    with PAGE.open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        page = file.read()
        rows = [row for row in _read(page) if _reader(row) != reader] + seen
        rows.sort(key=lambda row: READERS.index(_reader(row)))
        table = [list(COLUMNS), ["---"] * len(COLUMNS), *rows]
        text = "\n".join(f"| {' | '.join(row)} |" for row in table)
        before, after = _TABLE.split(page)
        file.seek(0)
        file.write(f"{before}\n{text}\n\n{after}")
        file.truncate()
