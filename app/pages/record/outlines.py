"""Draws region outlines as SVG paths (equirectangular projection, true at the middle latitude)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, cos, floor, radians

from app.models.outline import union_box
from app.pages.record.countries import Box, Point, Ring, clip, find_surroundings
from app.pages.record.documents import Json

_MAX_HEIGHT = 560.0
_MAX_WIDTH = 340.0
_MIN_ASPECT_RATIO = 0.4
"""Ratio of the shorter to the longer side of a map, at least, so that there is room for labels."""
_MIN_SPAN_DEGREES = 0.5
"""Extent of a map of something smaller."""
_MARGIN = 0.04
"""Margin around the outlines, as a part of their extent."""
_MIN_VERTEX_DISTANCE = 0.6
"""Vertices closer than this to the previous one are dropped."""
_BLEED = 4.0
"""Countries are drawn to this distance beyond the sheet, so that its edge is no border."""
_MAX_VERTICES = 600
"""Vertices of a region."""
_MAX_MAGNIFICATION = 6.0
"""Extent of a map with countries relative to that of its regions; countries are cut there."""
_MIN_VISIBLE_SIZE = 2.0
"""Parts of a region that are smaller in both directions are not drawn."""
_DOT_SIZE = 4.0
"""Size of the squares that stand for a region without a visible part."""
_GRATICULE_STEPS_DEGREES = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60)
_MAX_GRATICULE_INTERVALS = 5
_CHARACTER_WIDTH = 8.2
"""Approximate width of a character of a label."""
_LABEL_GAP = 8.0
LINE_HEIGHT = 17.0
"""Distance between the baselines of a label's lines."""


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a region on the map.

    Attributes:
        lines: The name, on one line or two.
        x: Horizontal position of the text anchor.
        y: Baseline of the first line.
        anchor: SVG `text-anchor`: start, middle or end.
    """

    lines: Sequence[str]
    x: float
    y: float
    anchor: str

    @property
    def box(self) -> Box:
        """Approximate bounding box, with one more line for the letters of the awards."""
        width = max(map(len, self.lines)) * _CHARACTER_WIDTH
        left = self.x - {"start": 0, "middle": width / 2, "end": width}[self.anchor]
        top = self.y - LINE_HEIGHT
        return left, top, left + width, top + (len(self.lines) + 1.2) * LINE_HEIGHT


@dataclass(frozen=True, slots=True)
class RegionShape:
    """A region on the map.

    Attributes:
        region_id: Id of the region.
        path: Outline as SVG path data.
        label: Label with its name.
    """

    region_id: str
    path: str
    label: Label


@dataclass(frozen=True, slots=True)
class Map:
    """A map; lengths are in units of its view box.

    Attributes:
        width: Width.
        height: Height.
        meridians: Labels of the meridians and their x positions.
        parallels: Labels of the parallels and their y positions.
        shapes: The regions.
        surroundings: Outlines of the countries around them, as SVG path data; empty without any.
    """

    width: float
    height: float
    meridians: Sequence[tuple[str, float]]
    parallels: Sequence[tuple[str, float]]
    shapes: Sequence[RegionShape]
    surroundings: str


@dataclass(frozen=True)
class _Viewport:
    """The section of the earth that the map shows, in degrees."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, box: Box) -> _Viewport:
        """A box with a margin, extended if it would be too narrow or too flat."""
        west, south, east, north = box
        span = max(east - west, north - south)
        margin = max(span * _MARGIN, (_MIN_SPAN_DEGREES - span) / 2)
        tight = cls(west - margin, south - margin, east + margin, north + margin)
        width, height = tight._true_size
        across = max(height * _MIN_ASPECT_RATIO - width, 0) / 2 / tight.longitude_ratio
        along = max(width * _MIN_ASPECT_RATIO - height, 0) / 2
        return cls(
            tight.west - across, tight.south - along, tight.east + across, tight.north + along
        )

    @cached_property
    def longitude_ratio(self) -> float:
        """Length of a degree of longitude relative to one of latitude, at the middle latitude."""
        return max(cos(radians((self.south + self.north) / 2)), 0.1)

    @cached_property
    def scale(self) -> float:
        """Map units per degree of latitude."""
        width, height = self._true_size
        return min(_MAX_WIDTH / width, _MAX_HEIGHT / height)

    def project(self, point: Point) -> Point:
        """Map position of a longitude and latitude."""
        longitude, latitude = point
        x = (longitude - self.west) * self.longitude_ratio * self.scale
        return x, (self.north - latitude) * self.scale

    @property
    def _true_size(self) -> tuple[float, float]:
        """Width and height in degrees of latitude."""
        return (self.east - self.west) * self.longitude_ratio, self.north - self.south


def draw_map(
    outlines: Mapping[str, Json], names: Mapping[str, str], countries: Collection[str] = ()
) -> Map | None:
    """A map of the regions; None if there is nothing to draw.

    Args:
        outlines: GeoJSON geometries by region id.
        names: Names by region id.
        countries: ISO 3166-1 codes of the countries that are drawn around the regions.
    """
    geographic = {region_id: list(_outer_rings(outline)) for region_id, outline in outlines.items()}
    geographic = {region_id: rings for region_id, rings in geographic.items() if rings}
    if not geographic:
        return None
    box = _join_at_antimeridian(geographic)
    surroundings = find_surroundings(countries, box)
    viewport = _Viewport.around(_box_of_map(box, surroundings))
    width, height = viewport.project((viewport.east, viewport.south))
    projected = {
        region_id: [_simplify(map(viewport.project, ring)) for ring in rings]
        for region_id, rings in geographic.items()
    }
    labels = _place_labels(projected, names, (0, 0, width, height))
    shapes = [
        RegionShape(region_id, _region_path(rings), labels[region_id])
        for region_id, rings in projected.items()
    ]
    sheet = (-_BLEED, -_BLEED, width + _BLEED, height + _BLEED)
    parts = (clip(_simplify(map(viewport.project, ring)), sheet) for ring in surroundings)
    drawn = [part for part in parts if part]
    path = _region_path(drawn) if drawn else ""
    return Map(round(width, 1), round(height, 1), *_graticule(viewport), shapes, path)


def _box_of_map(box: Box, surroundings: Iterable[Ring]) -> Box:
    """A box around the regions and what surrounds them, as far as they stay large enough."""
    around = union_box([box, *map(_bounding_box, surroundings)])
    span = max(box[2] - box[0], box[3] - box[1], _MIN_SPAN_DEGREES)
    room = span * (_MAX_MAGNIFICATION - 1) / 2
    west, south, east, north = box
    return (
        max(around[0], west - room),
        max(around[1], south - room),
        min(around[2], east + room),
        min(around[3], north + room),
    )


def _join_at_antimeridian(regions: dict[str, list[Ring]]) -> Box:
    """Box of all rings; if it crosses the antimeridian, those beyond it are moved by 360 degrees.

    Outlines are cut at the antimeridian (RFC 7946, 3.1.9), so each ring is on one side of it.
    """
    boxes = (_bounding_box(ring) for rings in regions.values() for ring in rings)
    west, south, east, north = union_box(boxes)
    if west <= east:
        return west, south, east, north
    for region_id, rings in regions.items():
        regions[region_id] = [
            [(longitude + 360, latitude) for longitude, latitude in ring]
            if min(ring)[0] < west
            else ring
            for ring in rings
        ]
    return west, south, east + 360, north


def _outer_rings(outline: Json) -> Iterator[Ring]:
    """The outer rings of a Polygon or MultiPolygon; holes are not drawn."""
    if outline["type"] == "Polygon":
        polygons = [outline["coordinates"]]
    elif outline["type"] == "MultiPolygon":
        polygons = outline["coordinates"]
    else:
        return
    for polygon in polygons:
        yield [(point[0], point[1]) for point in polygon[0]]


def _place_labels(
    regions: Mapping[str, list[Ring]], names: Mapping[str, str], sheet: Box
) -> dict[str, Label]:
    """A label for each region: inside its outline, else next to it where nothing is covered."""
    largest = {region_id: max(rings, key=_area) for region_id, rings in regions.items()}
    boxes = {region_id: _bounding_box(ring) for region_id, ring in largest.items()}
    labels: dict[str, Label] = {}
    for region_id in sorted(largest, key=lambda key: -_area(largest[key])):
        occupied = [box for other, box in boxes.items() if other != region_id]
        occupied += [label.box for label in labels.values()]
        candidates = _label_candidates(names[region_id], largest[region_id])
        best = min(candidates, key=lambda label: _covered_area(label.box, occupied, sheet))
        labels[region_id] = _moved_onto(best, sheet)
    return labels


def _label_candidates(name: str, ring: Ring) -> Iterator[Label]:
    """Possible labels of a region, best position first."""
    left, top, right, bottom = _bounding_box(ring)
    _, x, y = _area_and_centroid(ring)
    for lines in _line_breaks(name):
        width = max(map(len, lines)) * _CHARACTER_WIDTH
        if width < right - left and bottom - top > 3 * LINE_HEIGHT:
            yield Label(lines, round(x, 1), round(y, 1), "middle")
    for lines in _line_breaks(name):
        below, above = bottom + LINE_HEIGHT, top - len(lines) * LINE_HEIGHT
        yield Label(lines, round(right + _LABEL_GAP, 1), round(y, 1), "start")
        yield Label(lines, round(left - _LABEL_GAP, 1), round(y, 1), "end")
        yield Label(lines, round(left, 1), round(below, 1), "start")
        yield Label(lines, round(left, 1), round(above, 1), "start")


def _line_breaks(name: str) -> Iterator[list[str]]:
    """The name on one line and, if it has several words, on two lines of similar length."""
    yield [name]
    words = name.split()
    if len(words) > 1:
        splits = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
        yield list(min(splits, key=lambda split: max(map(len, split))))


def _covered_area(box: Box, occupied: Iterable[Box], sheet: Box) -> float:
    """Area of a box that is outside the sheet or, counted for each, in an occupied box."""
    left, top, right, bottom = box
    outside = (right - left) * (bottom - top) - _common_area(box, sheet)
    return outside + sum(_common_area(box, other) for other in occupied)


def _common_area(box: Box, other: Box) -> float:
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return max(width, 0) * max(height, 0)


def _moved_onto(label: Label, sheet: Box) -> Label:
    """The label, moved so that it is on the sheet, with its start if it is too long."""
    left, top, right, bottom = label.box
    across = max(min(0, sheet[2] - right), sheet[0] - left)
    along = max(min(0, sheet[3] - bottom), sheet[1] - top)
    return replace(label, x=round(label.x + across, 1), y=round(label.y + along, 1))


def _bounding_box(ring: Ring) -> Box:
    xs, ys = zip(*ring, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _area(ring: Ring) -> float:
    return abs(_area_and_centroid(ring)[0])


def _area_and_centroid(ring: Ring) -> tuple[float, float, float]:
    """Signed area of a ring and x and y of its centroid (shoelace formula)."""
    area = x = y = 0.0
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        cross = x1 * y2 - x2 * y1
        area, x, y = area + cross, x + (x1 + x2) * cross, y + (y1 + y2) * cross
    if abs(area) < 1e-9:
        return 0.0, ring[0][0], ring[0][1]
    return area / 2, x / (3 * area), y / (3 * area)


def _region_path(rings: Sequence[Ring]) -> str:
    """SVG path data of a region: its largest rings, or dots if none has a visible size."""
    largest_first = sorted(rings, key=_area, reverse=True)
    visible = list(filter(_is_visible, largest_first)) or list(map(_dot, largest_first))
    paths, room = [], _MAX_VERTICES
    for ring in visible:
        vertices = ring[:: ceil(len(ring) / room)] if room else []
        if len(vertices) > 1:
            paths.append(_path(vertices))
            room -= len(vertices)
    return "".join(paths)


def _is_visible(ring: Ring) -> bool:
    left, top, right, bottom = _bounding_box(ring)
    return max(right - left, bottom - top) >= _MIN_VISIBLE_SIZE


def _simplify(ring: Iterable[Point]) -> Ring:
    """The ring without vertices that are too close to the previous one."""
    points = iter(ring)
    vertices = [next(points)]
    for x, y in points:
        if abs(x - vertices[-1][0]) + abs(y - vertices[-1][1]) >= _MIN_VERTEX_DISTANCE:
            vertices.append((x, y))
    return vertices


def _dot(ring: Ring) -> Ring:
    """A small square in the middle of a ring."""
    left, top, right, bottom = _bounding_box(ring)
    x, y = (left + right - _DOT_SIZE) / 2, (top + bottom - _DOT_SIZE) / 2
    return [(x, y), (x + _DOT_SIZE, y), (x + _DOT_SIZE, y + _DOT_SIZE), (x, y + _DOT_SIZE)]


def _path(ring: Ring) -> str:
    """SVG path data of a closed ring, relative and rounded to a tenth of a unit."""
    (x, y), *others = [(round(x * 10), round(y * 10)) for x, y in ring]
    commands = [f"M{x / 10:g} {y / 10:g}l"]
    for next_x, next_y in others:
        commands.append(f"{(next_x - x) / 10:g} {(next_y - y) / 10:g} ")
        x, y = next_x, next_y
    return "".join(commands).rstrip() + "z"


def _graticule(
    viewport: _Viewport,
) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """Meridians and parallels: labels and map positions."""
    span = max(viewport.east - viewport.west, viewport.north - viewport.south)
    meridians = [
        (_longitude_label(longitude), round(viewport.project((longitude, 0))[0], 1))
        for longitude in _multiples(viewport.west, viewport.east, span)
    ]
    parallels = [
        (_degree_label(latitude, "N", "S"), round(viewport.project((0, latitude))[1], 1))
        for latitude in _multiples(max(viewport.south, -90), min(viewport.north, 90), span)
    ]
    return meridians, parallels


def _multiples(low: float, high: float, span: float) -> list[float]:
    """Degrees from low to high at which a graticule line is drawn, for a span of degrees."""
    step = next(
        (step for step in _GRATICULE_STEPS_DEGREES if span / step <= _MAX_GRATICULE_INTERVALS),
        _GRATICULE_STEPS_DEGREES[-1],
    )
    return [number * step for number in range(ceil(low / step), floor(high / step) + 1)]


def _longitude_label(longitude: float) -> str:
    """A meridian's label, counted from Greenwich also beyond the antimeridian: `170°W` for 190."""
    if abs(longitude) == 180:  # neither east nor west
        return "180°"
    return _degree_label((longitude + 180) % 360 - 180, "E", "W")


def _degree_label(value: float, positive: str, negative: str) -> str:
    side = "" if value == 0 else positive if value > 0 else negative
    return f"{abs(value):g}°{side}"
