"""The tables of docs/operations.md about caches: read, compared with what is seen, and renewed."""

from __future__ import annotations

import os
import re

import pytest

from tests.caches.clients import LIBRARIES, library_version
from tests.caches.proxies import PRODUCTS, version
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "operations.md"
COLUMNS = {
    "proxies": ["stored", "304", "codings", "HEAD", "ranges", "expired", "new release", "down"],
    "clients": ["stored", "codings", "formats", "ranges", "expired", "new release", "down"],
}
_TITLES = {
    "stored": "Cache hits",
    "codings": "Codings",
    "ranges": "Ranges",
    "formats": "Formats by `Accept`",
    "expired": "After expiry",
    "new release": "New release",
    "down": "Origin down",
}


class Seen:
    """Cells of both tables.

    Attributes:
        renews: Whether what is seen is collected, to be written, instead of compared.
    """

    def __init__(self, *, renews: bool) -> None:
        self.renews = renews
        self._cells = {kind: _read(kind) for kind in COLUMNS}
        self._changed = False

    def __call__(self, row: str, column: str, text: str) -> None:
        """Compare a cell with what was seen, or take it over.

        A program of another version than the documented one may do otherwise, except in CI.
        """
        kind = "proxies" if row in PRODUCTS else "clients"
        found = version(row) if kind == "proxies" else library_version(row)
        cells = self._cells[kind].setdefault(row, {})
        if self.renews:
            cells |= {"version": found, column: text}
            self._changed = True
            return
        if cells and cells["version"] != found and "CI" not in os.environ:
            pytest.skip(f"documented for {row} {cells['version']}, this is {found}")
        assert cells == {**cells, "version": found, column: text}, (
            "renew the table: python -m tests.caches"
        )

    def write(self) -> None:
        """Write the collected cells to the page."""
        if self._changed:
            page = PAGE.read_text("utf-8")
            for kind, cells in self._cells.items():
                before, after = _block(kind).split(page)
                page = f"{before}\n{_format(kind, cells)}\n\n{after}"
            PAGE.write_text(page, "utf-8")


def _block(kind: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- begin: {kind} -->\n).*?(?=<!-- end: {kind} -->)", re.DOTALL)


def _rows(kind: str) -> list[str]:
    return list(PRODUCTS if kind == "proxies" else LIBRARIES)


def _format(kind: str, cells: dict[str, dict[str, str]]) -> str:
    columns = COLUMNS[kind]
    lines = ["| | " + " | ".join(_TITLES.get(column, column) for column in columns) + " |"]
    lines.append("| --- " * (len(columns) + 1) + "|")
    for row in _rows(kind):
        if row in cells:
            values = [cells[row].get(column, "not seen") for column in columns]
            lines.append(f"| {_label(row, cells[row]['version'])} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def _label(row: str, found: str) -> str:
    name, comma, setting = row.partition(", ")
    return f"{name} {found}{comma}{setting}"


def _read(kind: str) -> dict[str, dict[str, str]]:
    """Documented cells by row and column, with the version of the program."""
    found = _block(kind).search(PAGE.read_text("utf-8"))
    assert found is not None
    cells: dict[str, dict[str, str]] = {}
    for line in found[0].splitlines():
        label, *values = (part.strip() for part in line.strip().strip("|").split("|"))
        label_version = re.search(r"\d+\.\d+", label)
        if line.startswith("|") and label_version is not None:
            row = label.replace(f" {label_version[0]}", "")
            cells[row] = {
                "version": label_version[0],
                **dict(zip(COLUMNS[kind], values, strict=True)),
            }
    return cells
