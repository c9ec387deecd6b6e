"""Further records to test with: drafts, from which the tools make seeds, and their pages."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.seed.json_text import format_json
from tests.conftest import ROOT, SEED
from tests.support.random_seeds import COLLECTIONS

Json = dict[str, Any]

_DATA = ROOT / "tests" / "data"


@dataclass(frozen=True)
class OtherRecord:
    """A record other than the shipped one.

    Attributes:
        drafts: Its seed without positions, digests and lengths; of several files if it has the
            resources of several.
        pages: The page of each source, by id: a file, or a variable with the path of one.
    """

    drafts: Sequence[Path]
    pages: Mapping[str, Path | str]

    @property
    def draft(self) -> Path:
        """The file of its draft, if it is one."""
        [draft] = self.drafts
        return draft

    @property
    def page(self) -> Path:
        """The file of its page, if it is one."""
        [page] = self.pages.values()
        return Path(page)

    def copies(self) -> list[str]:
        """Options of the tools for its pages; the test is skipped if one is not at hand."""
        return [f"--source={id_}={_existing(page)}" for id_, page in self.pages.items()]

    def write_draft(self, folder: Path) -> Path:
        """Write the draft to a directory, where outlines that it declares are written, too."""
        first, *others = map(_read_draft, self.drafts)
        for other in others:
            _merge(first, other)
        path = folder / "seed.json"
        path.write_text(format_json(first), "utf-8")
        shutil.copy(SEED.with_name("regions.geojson"), folder)
        return path


FIJI = OtherRecord([_DATA / "fiji.json"], {"fiji-page": _DATA / "fiji.txt"})
"""A made-up page."""
MONGOLIA = OtherRecord([_DATA / "mongolia.json"], {"us-mongolia-cpc-page": "MONGOLIA_PAGE"})
"""The beginning of a page of the same kind as that of the shipped record."""
PERU_AND_MONGOLIA = OtherRecord(
    [SEED, *MONGOLIA.drafts], {"us-peru-cpc-page": "SOURCE_PAGE", **MONGOLIA.pages}
)
"""The shipped record and that of Mongolia in one."""


def strip_positions(text: str) -> str:
    """A seed without the positions, digests and lengths that `cite` fills in."""
    patterns = (
        r'"start": \d+,\s*"end": \d+,\s*',
        r'"sha256": "\w+",\s*"bytes": \d+,\s*"characters": \d+,\s*',
        r'"sha256": "\w+",\s*(?="reference")',
    )
    return re.sub("|".join(patterns), "", text)


def _read_draft(path: Path) -> Json:
    """A draft in which every quote names its source."""
    draft: Json = json.loads(strip_positions(path.read_text("utf-8")))
    [source] = draft["sources"]
    for resource in (entry for name in COLLECTIONS for entry in draft[name]):
        for citation in (item for group in resource["evidence"].values() for item in group):
            if "quote" in citation:
                citation["quote"].setdefault("source", source["id"])
    return draft


def _merge(seed: Json, other: Json) -> None:
    """Add the resources of another draft; of those with the same id, the evidence is joined."""
    seed["title"] = f"{seed['title']} and {other['title']}"
    seed.pop("archive_notice", None)
    for name in COLLECTIONS:
        known = {resource["id"]: resource for resource in seed[name]}
        for resource in other[name]:
            if resource["id"] not in known:
                seed[name].append(resource)
                continue
            for field, citations in resource["evidence"].items():
                known[resource["id"]]["evidence"].setdefault(field, []).extend(citations)


def _existing(page: Path | str) -> Path:
    if isinstance(page, Path):
        return page
    path = os.environ.get(page)
    if not path:
        pytest.skip(f"{page} is not set to a copy of the page")
    return Path(path)
