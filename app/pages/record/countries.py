"""Outlines of countries, which show on the map where in a country a region is.

They are not part of the record: the file holds every country of the world, simplified.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from functools import cache
from importlib.resources import files
from itertools import accumulate
from typing import Any

Point = tuple[float, float]
Ring = list[Point]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom; of degrees: west, south, east and north."""

_UNITS_PER_DEGREE = 100
_MAX_GAP = 0.05
"""Gap to an island that is drawn as well, as a part of the extent of what is drawn."""


def outline_reference() -> dict[str, str]:
    """Title, URL and license of the outlines."""
    reference: dict[str, str] = _countries()["reference"]
    return reference


def find_surroundings(countries: Collection[str], box: Box) -> list[Ring]:
    """The parts of countries around a box, with the islands near them.

    Remote parts, such as overseas territories, are left out; so are all if the box crosses the
    antimeridian, where the outlines are cut.

    Args:
        countries: ISO 3166-1 codes; without an outline, a country is ignored.
        box: West, south, east and north.
    """
    if box[2] > 180:
        return []
    rest = [ring for code in sorted(set(countries)) for ring in _rings(code)]
    found: list[Ring] = []
    while near := [ring for ring in rest if _is_near(_extent(ring), box)]:
        found += near
        rest = [ring for ring in rest if ring not in near]
        edges = [box, *map(_extent, near)]
        west, south, east, north = zip(*edges, strict=True)
        box = min(west), min(south), max(east), max(north)
    return found


def clip(ring: Ring, box: Box) -> Ring:
    """The part of a ring inside a box; empty if there is none (Sutherland-Hodgman)."""
    for axis, limit, sign in ((0, box[0], 1), (1, box[1], 1), (0, box[2], -1), (1, box[3], -1)):
        clipped: Ring = []
        for start, end in zip(ring[-1:] + ring[:-1], ring, strict=True):
            before, after = sign * (start[axis] - limit), sign * (end[axis] - limit)
            if (before < 0) != (after < 0):
                part = before / (before - after)
                crossing = [a + part * (b - a) for a, b in zip(start, end, strict=True)]
                clipped.append((crossing[0], crossing[1]))
            if after >= 0:
                clipped.append(end)
        ring = clipped
    return ring


def _is_near(extent: Box, box: Box) -> bool:
    gap = _MAX_GAP * max(box[2] - box[0], box[3] - box[1])
    return (
        extent[0] <= box[2] + gap
        and box[0] - gap <= extent[2]
        and extent[1] <= box[3] + gap
        and box[1] - gap <= extent[3]
    )


def _extent(ring: Ring) -> Box:
    xs, ys = zip(*ring, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _rings(code: str) -> Iterator[Ring]:
    """Outer rings of a country, which the file has as steps from vertex to vertex."""
    for steps in _countries()["countries"].get(code, ()):
        xs, ys = accumulate(steps[::2]), accumulate(steps[1::2])
        yield [(x / _UNITS_PER_DEGREE, y / _UNITS_PER_DEGREE) for x, y in zip(xs, ys, strict=True)]


@cache
def _countries() -> dict[str, Any]:
    """Content of the file: `reference`, and `countries` with the rings of each code."""
    path = files("app.pages.record") / "assets" / "countries.json"
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content
