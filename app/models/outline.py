"""Outlines of regions: polygons as GeoJSON (RFC 7946), their direction and bounding boxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

Position = tuple[float, float]
Ring = list[Position]
Polygon = list[Ring]
"""The outer ring and the holes."""
Box = tuple[float, float, float, float]
"""West, south, east and north in degrees; west is greater than east across the antimeridian."""


def polygons_of(geometry: dict[str, Any]) -> list[Polygon]:
    """The polygons of a valid Polygon or MultiPolygon, turned as RFC 7946, 3.1.6 requires.

    Outer rings run counterclockwise, holes clockwise. Altitudes are dropped.
    """
    coordinates = geometry["coordinates"]
    polygons = [coordinates] if geometry["type"] == "Polygon" else coordinates
    return [
        [
            _turned([(x, y) for x, y, *_ in ring], counterclockwise=number == 0)
            for number, ring in enumerate(polygon)
        ]
        for polygon in polygons
    ]


def geometry_of(polygons: Sequence[Polygon]) -> dict[str, Any]:
    """A GeoJSON geometry: a Polygon if there is one polygon, else a MultiPolygon."""
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def polygons_box(polygons: Iterable[Polygon]) -> Box:
    """The bounding box of polygons, each of which lies on one side of the antimeridian."""
    return union_box(_ring_box(polygon[0]) for polygon in polygons)


def union_box(boxes: Iterable[Box]) -> Box:
    """The smallest box around all boxes (RFC 7946, 5), across the antimeridian if that is smaller.

    Raises:
        ValueError: There is no box.
    """
    wests, souths, easts, norths = zip(*boxes, strict=True)
    spans = sorted(_unwrapped(zip(wests, easts, strict=True)))
    west, east = _around_largest_gap(spans)
    return west, min(souths), east, max(norths)


def box_polygons(box: Box) -> list[Polygon]:
    """A box as polygons: two of them if it crosses the antimeridian (RFC 7946, 3.1.9)."""
    west, south, east, north = box
    return [
        [[(x1, south), (x2, south), (x2, north), (x1, north), (x1, south)]]
        for x1, x2 in _unwrapped([(west, east)])
    ]


def _unwrapped(spans: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Spans of longitude, those across the antimeridian as two."""
    for west, east in spans:
        if west > east:
            yield west, 180
            yield -180, east
        else:
            yield west, east


def _around_largest_gap(spans: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The span of longitude that leaves out the largest gap between sorted spans."""
    merged = [spans[0]]
    for west, east in spans[1:]:
        if west <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], east)
        else:
            merged.append((west, east))
    gaps = [(following[0] - span[1], span[1], following[0]) for span, following in pairwise(merged)]
    outer = merged[0][0] + 360 - merged[-1][1]
    gap, end, start = max(gaps, default=(0.0, 0.0, 0.0))
    return (start, end) if gap > outer else (merged[0][0], merged[-1][1])


def _ring_box(ring: Ring) -> Box:
    longitudes, latitudes = zip(*ring, strict=True)
    return min(longitudes), min(latitudes), max(longitudes), max(latitudes)


def _turned(ring: Ring, *, counterclockwise: bool) -> Ring:
    """The ring in the given direction; one without an area stays as it is."""
    return ring[::-1] if _doubled_area(ring) * (1 if counterclockwise else -1) < 0 else ring


def point_inside(polygons: Iterable[Polygon]) -> Position | None:
    """A point inside the largest polygon: the middle of its widest part at its middle latitude.

    None if no polygon has an area.
    """
    largest = max(polygons, key=lambda polygon: abs(_doubled_area(polygon[0])))
    _, south, _, north = _ring_box(largest[0])
    latitude = (south + north) / 2
    crossings = sorted(_crossings(largest, latitude))
    spans = zip(crossings[::2], crossings[1::2], strict=True)
    west, east = max(spans, key=lambda span: span[1] - span[0], default=(0.0, 0.0))
    return ((west + east) / 2, latitude) if west < east else None


def _crossings(polygon: Polygon, latitude: float) -> Iterator[float]:
    """Longitudes at which the edges of a polygon cross a latitude; an even number."""
    for (x1, y1), (x2, y2) in (edge for ring in polygon for edge in pairwise(ring)):
        if (y1 <= latitude) != (y2 <= latitude):
            yield x1 + (x2 - x1) * (latitude - y1) / (y2 - y1)


def _doubled_area(ring: Ring) -> float:
    """Twice the area in a ring, negative if it runs clockwise."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring))
