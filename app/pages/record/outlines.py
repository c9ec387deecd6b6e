"""Where: outlines of regions as paths on a map (equirectangular, true at its middle latitude)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, cos, floor, radians

from app.pages.record.documents import Json

Point = tuple[float, float]
Ring = list[Point]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""

_LONGEST = 560.0
_WIDEST = 340.0
_FINEST = 0.6
"""Vertices nearer than this to the one before are left out."""
_STEPS = (0.5, 1, 2, 5, 10, 20, 30, 60)
_MOST_LINES = 5
_LETTER = 8.2
"""About the width of a letter of a label."""
_GAP = 8.0
LINE_HEIGHT = 17.0
"""From one line of a label to the next."""


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a region on the map.

    Attributes:
        lines: The name, in one line or two.
        x: Where it stands.
        y: Base line of the first line.
        anchor: How it is aligned, as SVG's `text-anchor`.
    """

    lines: Sequence[str]
    x: float
    y: float
    anchor: str

    @property
    def box(self) -> Box:
        """The room that it takes, with a line below for what else is said."""
        width = max(map(len, self.lines)) * _LETTER
        left = self.x - {"start": 0, "middle": width / 2, "end": width}[self.anchor]
        top = self.y - LINE_HEIGHT
        return left, top, left + width, top + (len(self.lines) + 1.2) * LINE_HEIGHT


@dataclass(frozen=True, slots=True)
class RegionShape:
    """One region on the map.

    Attributes:
        region: Its id.
        path: Its outline, as an SVG path.
        label: Its name.
    """

    region: str
    path: str
    label: Label


@dataclass(frozen=True, slots=True)
class Map:
    """A map, in units of its view box.

    Attributes:
        width: Its width.
        height: Its height.
        meridians: Labels of meridians, and where they run.
        parallels: Labels of parallels, and where they run.
        shapes: The regions.
    """

    width: float
    height: float
    meridians: Sequence[tuple[str, float]]
    parallels: Sequence[tuple[str, float]]
    shapes: Sequence[RegionShape]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What part of the earth is shown, in degrees, and how large."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, points: Iterable[Point]) -> _Frame:
        xs, ys = zip(*points, strict=True)
        west, south, east, north = min(xs), min(ys), max(xs), max(ys)
        margin = max(east - west, north - south, 0.1) * 0.04
        return cls(west - margin, south - margin, east + margin, north + margin)

    @property
    def squeeze(self) -> float:
        """How much shorter a degree of longitude is than one of latitude."""
        return max(cos(radians((self.south + self.north) / 2)), 0.1)

    @property
    def scale(self) -> float:
        """Units a degree of latitude."""
        wide, high = (self.east - self.west) * self.squeeze, self.north - self.south
        return min(_WIDEST / wide, _LONGEST / high)

    def place(self, point: Point) -> Point:
        x, y = point
        scale = self.scale
        return (x - self.west) * self.squeeze * scale, (self.north - y) * scale


def draw_map(outlines: Mapping[str, Json], names: Mapping[str, str]) -> Map | None:
    """A map of GeoJSON geometries by region; None where there is nothing to draw."""
    rings = {name: list(_rings(outline)) for name, outline in outlines.items()}
    rings = {name: found for name, found in rings.items() if found}
    if not rings:
        return None
    frame = _Frame.around(point for found in rings.values() for ring in found for point in ring)
    width, height = frame.place((frame.east, frame.south))
    placed = {
        name: [[frame.place(one) for one in ring] for ring in found]
        for name, found in rings.items()
    }
    labels = _labels(placed, names, (0, 0, width, height))
    shapes = [
        RegionShape(name, "".join(_path(_thinned(ring)) for ring in found), labels[name])
        for name, found in placed.items()
    ]
    return Map(
        round(width, 1),
        round(height, 1),
        [(_degrees(x, "E", "W"), round(frame.place((x, 0))[0], 1)) for x in _lines(frame, 0)],
        [(_degrees(y, "N", "S"), round(frame.place((0, y))[1], 1)) for y in _lines(frame, 1)],
        shapes,
    )


def _rings(outline: Json) -> Iterator[Ring]:
    """The outer rings of a polygon or of several; holes are not drawn."""
    if outline["type"] == "Polygon":
        polygons = [outline["coordinates"]]
    elif outline["type"] == "MultiPolygon":
        polygons = outline["coordinates"]
    else:
        return
    for polygon in polygons:
        yield [(point[0], point[1]) for point in polygon[0]]


def _labels(
    placed: Mapping[str, list[Ring]], names: Mapping[str, str], sheet: Box
) -> dict[str, Label]:
    """A label for each region: in it, or beside it where it covers nothing else."""
    largest = {name: max(rings, key=_area) for name, rings in placed.items()}
    boxes = {name: _box(ring) for name, ring in largest.items()}
    labels: dict[str, Label] = {}
    for name in sorted(largest, key=lambda one: -_area(largest[one])):
        taken = [box for other, box in boxes.items() if other != name]
        taken += [label.box for label in labels.values()]
        candidates = list(_candidates(names[name], largest[name]))
        free = (one for one in candidates if _is_free(one.box, taken, sheet))
        labels[name] = next(free, candidates[0])
    return labels


def _candidates(name: str, ring: Ring) -> Iterator[Label]:
    """Where the name of a region may stand, the best place first."""
    left, top, right, bottom = _box(ring)
    _, x, y = _centre(ring)
    for lines in _broken(name):
        if max(map(len, lines)) * _LETTER < right - left and bottom - top > 3 * LINE_HEIGHT:
            yield Label(lines, round(x, 1), round(y, 1), "middle")
    for lines in _broken(name):
        below, above = bottom + LINE_HEIGHT, top - len(lines) * LINE_HEIGHT
        yield Label(lines, round(right + _GAP, 1), round(y, 1), "start")
        yield Label(lines, round(left - _GAP, 1), round(y, 1), "end")
        yield Label(lines, round(left, 1), round(below, 1), "start")
        yield Label(lines, round(left, 1), round(above, 1), "start")


def _broken(name: str) -> Iterator[list[str]]:
    """A name in one line, and in two where it has several words."""
    yield [name]
    words = name.split()
    if len(words) > 1:
        cuts = [(" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words))]
        yield list(min(cuts, key=lambda cut: max(map(len, cut))))


def _is_free(box: Box, taken: Iterable[Box], sheet: Box) -> bool:
    inside = box[0] >= sheet[0] and box[1] >= sheet[1] and box[2] <= sheet[2] and box[3] <= sheet[3]
    return inside and not any(
        box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
        for other in taken
    )


def _box(ring: Ring) -> Box:
    xs, ys = zip(*ring, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _area(ring: Ring) -> float:
    return abs(_centre(ring)[0])


def _thinned(ring: Ring) -> Ring:
    kept = ring[:1]
    for x, y in ring[1:]:
        if abs(x - kept[-1][0]) + abs(y - kept[-1][1]) >= _FINEST:
            kept.append((x, y))
    return kept


def _path(ring: Ring) -> str:
    """A closed ring as an SVG path, in steps of a tenth of a unit."""
    tenths = [(round(x * 10), round(y * 10)) for x, y in ring]
    (x, y), *others = tenths
    told = [f"M{x / 10:g} {y / 10:g}l"]
    for after_x, after_y in others:
        told.append(f"{(after_x - x) / 10:g} {(after_y - y) / 10:g} ")
        x, y = after_x, after_y
    return "".join(told).rstrip() + "z"


def _centre(ring: Ring) -> tuple[float, float, float]:
    """Area and centre of gravity of a ring (the shoelace formula)."""
    area = x = y = 0.0
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        cross = x1 * y2 - x2 * y1
        area, x, y = area + cross, x + (x1 + x2) * cross, y + (y1 + y2) * cross
    if abs(area) < 1e-9:
        return 0.0, ring[0][0], ring[0][1]
    return area / 2, x / (3 * area), y / (3 * area)


def _lines(frame: _Frame, axis: int) -> list[float]:
    """Whole degrees at which a line of the graticule runs."""
    low, high = (frame.west, frame.east) if axis == 0 else (frame.south, frame.north)
    span = max(frame.east - frame.west, frame.north - frame.south)
    step = next((one for one in _STEPS if span / one <= _MOST_LINES), _STEPS[-1])
    return [number * step for number in range(ceil(low / step), floor(high / step) + 1)]


def _degrees(value: float, positive: str, negative: str) -> str:
    side = "" if value == 0 else positive if value > 0 else negative
    return f"{abs(value):g}°{side}"
