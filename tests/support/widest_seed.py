"""A seed whose record page is as large as it gets: every text, list and citation at its limit."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from tests.conftest import SEED

Json = dict[str, Any]

_PARTNERSHIPS, _OBJECTIVES, _AWARDS, _ACTIVITIES = 3, 10, 8, 12
_CITATIONS_PER_FIELD = 12
_LENGTHS = {"title": 900, "summary": 5_000, "name": 900}
_LIST_FIELDS = ("stakeholders", "aliases")


def write_widest_seed(path: Path) -> Path:
    """Write the seed; its texts are random letters, which hardly compress."""
    path.write_text(json.dumps(_WidestSeed().data), "utf-8")
    return path


class _WidestSeed:
    """The shipped seed with copies of its resources, all of them with long texts.

    Attributes:
        data: The seed.
    """

    def __init__(self) -> None:
        self._random = random.Random(1)  # noqa: S311 - not for secrets
        self._positions = count(100_000, 100)
        shipped = json.loads(SEED.read_text("utf-8"))
        self.data = {**shipped, "outlines": None}
        self.data["sources"][0] |= {"characters": 10**8, "bytes": 10**8}
        for name in ("partnerships", "objectives", "awards", "activities"):
            self.data[name] = []
        for number in range(_PARTNERSHIPS):
            for name, original, values in _copies(shipped, f"p{number}"):
                self.data[name].append(self._widened({**original, **values}))

    def _widened(self, entry: Json) -> Json:
        """The entry with long texts and lists, each with many citations."""
        entry = {**entry, "evidence": {**entry["evidence"]}}
        for field, length in _LENGTHS.items():
            if field in entry:
                entry[field] = self._letters(length)
                entry["evidence"][field] = [self._citation() for _ in range(_CITATIONS_PER_FIELD)]
        for field in _LIST_FIELDS:
            if entry.get(field):
                entry[field] = [self._letters(300) for _ in range(40)]
                entry["evidence"][field] = [self._citation()]
        return entry

    def _citation(self) -> Json:
        start = next(self._positions)
        quote = {"start": start, "end": start + 80, "exact": self._letters(80)}
        quote["source"] = self.data["sources"][0]["id"]
        return {"basis": "editorial", "quote": quote, "note": self._letters(900)}

    def _letters(self, length: int) -> str:
        """Random words of this length in all."""
        words = ("".join(self._random.choices(ascii_lowercase, k=7)) for _ in range(length // 8))
        return " ".join(words).ljust(length, "x")


def _copies(shipped: Json, partnership: str) -> Iterator[tuple[str, Json, Json]]:
    """Collection, original and changed values of a partnership and what belongs to it."""
    objectives = [f"{partnership}-objective-{number}" for number in range(_OBJECTIVES)]
    yield "partnerships", shipped["partnerships"][0], {"id": partnership}
    for position, id_ in enumerate(objectives, start=1):
        values = {"id": id_, "partnership": partnership, "position": position}
        yield "objectives", shipped["objectives"][0], values
    for number in range(_AWARDS):
        award = f"{partnership}-award-{number}"
        values = {"id": award, "partnership": partnership, "objectives": objectives}
        yield "awards", shipped["awards"][0], values
        for position in range(1, _ACTIVITIES + 1):
            values = {"award": award, "position": position, "objectives": objectives}
            id_ = f"{award}-activity-{position}"
            yield "activities", shipped["activities"][position % 3], {"id": id_, **values}
