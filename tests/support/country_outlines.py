"""Makes the outlines of countries on the map: ``python -m tests.support.country_outlines``.

They come from Natural Earth's countries at 1:50m, which the npm package world-atlas has as
TopoJSON. Borders are simplified where they are shared, so that neighbors still fit together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pycountry

from tests.conftest import ROOT
from tests.support.npm import install_packages

DIRECTORY = ROOT / "tests" / "pages" / "atlas"
TARGET = ROOT / "app" / "pages" / "record" / "assets" / "countries.json"
_REFERENCE = {
    "title": "Natural Earth, Admin 0 – Countries, 1:50m",
    "url": "https://www.naturalearthdata.com/downloads/50m-cultural-vectors/",
    "license": "Public domain",
}
_UNITS_PER_DEGREE = 100
_TOLERANCE = 2.0
"""Distance in units by which a simplified border is off, at most."""
_MIN_SIZE = 5
"""Islands smaller than this in both directions are left out, but for the largest one."""

Point = tuple[int, int]


def country_outlines() -> bytes:
    """The file: for each country its rings, each as a flat list of steps of 0.01 degrees."""
    modules = install_packages(DIRECTORY, "the outlines of countries come from it")
    text = (modules / "world-atlas" / "countries-50m.json").read_text("utf-8")
    topology = json.loads(text)
    arcs = [_simplify(list(_points(arc, topology["transform"]))) for arc in topology["arcs"]]
    countries: dict[str, list[list[int]]] = {}
    for geometry in topology["objects"]["countries"]["geometries"]:
        country = pycountry.countries.get(numeric=geometry.get("id", ""))
        if country is not None:
            rings = [_join(polygon[0], arcs) for polygon in _polygons(geometry)]
            rings = sorted((ring for ring in rings if len(ring) > 2), key=_size, reverse=True)
            large = [ring for ring in rings if _size(ring) >= _MIN_SIZE] or rings[:1]
            countries.setdefault(country.alpha_2, []).extend(map(_steps, large))
    content = {"reference": _REFERENCE, "countries": dict(sorted(countries.items()))}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _points(arc: list[list[int]], transform: dict[str, Any]) -> Iterator[Point]:
    """Vertices of an arc, which TopoJSON has as steps of its own unit."""
    x = y = 0
    (scale_x, scale_y), (west, south) = transform["scale"], transform["translate"]
    for step_x, step_y in arc:
        x, y = x + step_x, y + step_y
        longitude, latitude = x * scale_x + west, y * scale_y + south
        yield round(longitude * _UNITS_PER_DEGREE), round(latitude * _UNITS_PER_DEGREE)


def _polygons(geometry: dict[str, Any]) -> list[list[list[int]]]:
    arcs: list[Any] = geometry["arcs"]
    return [arcs] if geometry["type"] == "Polygon" else arcs


def _join(ring: list[int], arcs: list[list[Point]]) -> list[Point]:
    """A ring of several arcs; the complement of an index is the reversed arc."""
    points: list[Point] = []
    for index in ring:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        points += arc[1:] if points else arc
    return points[:-1]


def _simplify(points: list[Point]) -> list[Point]:
    """Vertices from which no other is farther than the tolerance (Douglas-Peucker)."""
    (x1, y1), (x2, y2) = points[0], points[-1]
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    farthest, distance = 0, 0.0
    for index, (x, y) in enumerate(points[1:-1], 1):
        if length:
            off = abs((x2 - x1) * (y1 - y) - (x1 - x) * (y2 - y1)) / length
        else:
            off = ((x - x1) ** 2 + (y - y1) ** 2) ** 0.5
        if off > distance:
            farthest, distance = index, off
    if distance <= _TOLERANCE:
        return [points[0], points[-1]]
    return _simplify(points[: farthest + 1])[:-1] + _simplify(points[farthest:])


def _size(ring: list[Point]) -> int:
    xs, ys = zip(*ring, strict=True)
    width: int = max(xs) - min(xs)
    height: int = max(ys) - min(ys)
    return max(width, height)


def _steps(ring: list[Point]) -> list[int]:
    """The first vertex, then the steps to the next ones."""
    steps = [*ring[0]]
    for (x1, y1), (x2, y2) in pairwise(ring):
        steps += (x2 - x1, y2 - y1)
    return steps


def main(target: Path = TARGET) -> None:
    """Write the file."""
    target.write_bytes(country_outlines())


if __name__ == "__main__":
    main()
