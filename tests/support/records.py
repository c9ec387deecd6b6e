"""Further records to test with: drafts, from which the tools make seeds, and their pages."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.seed.copies import PageCopy
from tests.conftest import ROOT

_DATA = ROOT / "tests" / "data"


@dataclass(frozen=True)
class OtherRecord:
    """A record other than the shipped one.

    Attributes:
        draft: Its seed without positions, digests and lengths.
        pages: The page of each source, by id: a file, or a variable with the path of one.
    """

    draft: Path
    pages: dict[str, Path | str]

    @property
    def page(self) -> Path:
        """Its only page."""
        [page] = self.pages.values()
        return Path(page)

    def copies(self) -> list[str]:
        """Arguments of the tools, one per page; the test is skipped if one is not at hand."""
        return [f"{id_}={_existing(page)}" for id_, page in self.pages.items()]


FIJI = OtherRecord(_DATA / "fiji.json", {"fiji-page": _DATA / "fiji.txt"})
"""A made-up page."""
MONGOLIA = OtherRecord(_DATA / "mongolia.json", {"us-mongolia-cpc-page": "MONGOLIA_PAGE"})
"""The beginning of a page of the same kind as the shipped record's."""


def copy_of(text: str) -> PageCopy:
    """A copy of a page with this text."""
    return PageCopy(text)


def _existing(page: Path | str) -> Path:
    if isinstance(page, Path):
        return page
    path = os.environ.get(page)
    if not path:
        pytest.skip(f"{page} is not set to a copy of the page")
    return Path(path)
