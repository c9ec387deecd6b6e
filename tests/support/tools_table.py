"""The table of docs/tools.md: what programs of other people did with the API, written by the tests.

Each test that runs such a program calls `check_outcome` with what it saw. The rows on the page must
say the same; `RENEW_TOOLS_TABLE=1` in the environment writes them instead.
"""

from __future__ import annotations

import fcntl
import os
import re

import pytest

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "tools.md"
COLUMNS = 5


def check_outcome(area: str, tool: str, version: str, done: str, outcome: str) -> None:
    """Compare a row of the table with what a test saw, or write it.

    Args:
        area: The part of the page, which has a marked table with this name.
        tool: The program or library.
        version: Its version, as it states it itself or as its lock file pins it.
        done: What was done with it, in a few words; with the tool, it identifies the row.
        outcome: What came out, in a few words.

    A program of another version may do otherwise: its test is skipped then, except in CI.
    """
    cells = [tool, version, done, outcome]
    assert not any("|" in cell or "\n" in cell for cell in cells)
    if os.environ.get("RENEW_TOOLS_TABLE"):
        _write(area, cells)
        return
    rows = _rows(_block(area, PAGE.read_text("utf-8"))[0])
    row = next((row for row in rows if row[0] == tool and row[2] == done), None)
    if row and row[1] != version and "CI" not in os.environ:
        pytest.skip(f"documented for {tool} {row[1]}, this is {version}")
    assert row is not None, f"{tool} is not on the page: RENEW_TOOLS_TABLE=1 with this test"
    assert row[:4] == cells, "renew the table: RENEW_TOOLS_TABLE=1 with this test"


def _block(area: str, page: str) -> re.Match[str]:
    found = re.search(rf"(?<=<!-- begin: {area} -->\n).*?(?=<!-- end: {area} -->)", page, re.DOTALL)
    assert found is not None, f"docs/tools.md has no table for {area}"
    return found


def _rows(block: str) -> list[list[str]]:
    lines = (line for line in block.splitlines() if line.startswith("|"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert all(len(row) == COLUMNS for row in rows)
    return rows[2:]


def _write(area: str, cells: list[str]) -> None:
    """Put a row in place, sorted by tool; the last cell, how it was before, stays as it is."""
    with PAGE.open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        page = file.read()
        block = _block(area, page)
        rows = _rows(block[0])
        same = [row for row in rows if row[0] == cells[0] and row[2] == cells[2]]
        rows = [row for row in rows if row not in same]
        rows.append([*cells, same[0][4] if same else ""])
        rows.sort(key=lambda row: (row[0].casefold(), row[2]))
        head = [["tool", "version", "what was done", "outcome", "before"], ["---"] * COLUMNS]
        table = "\n".join(f"| {' | '.join(row)} |" for row in head + rows)
        file.seek(0)
        file.write(f"{page[: block.start()]}\n{table}\n\n{page[block.end() :]}")
        file.truncate()
