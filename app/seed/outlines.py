"""Checks of the outlines: a GeoJSON file next to the seed with a polygon for each region.

What RFC 7946 requires is checked in full, and what it recommends as far as maps depend on it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from app.models.header import Outlines
from app.models.notation import count_noun
from app.models.outline import Box, Polygon, polygons_box, polygons_of, union_box
from app.seed.errors import Issue, format_value
from app.seed.reader import escape_pointer

RegionCodes = Sequence[tuple[str, str, dict[str, str | None]]]
"""JSON pointer, id and codes of each region."""

_BOX_TOLERANCE_DEGREES = 0.01
"""Boxes are often rounded more than the coordinates."""
_MIN_POSITIONS = 4
_AXES = (("longitude", 180), ("latitude", 90))
_WGS_84 = ("CRS84", "EPSG::4326", "EPSG:4326")
"""Ends of names of the only coordinate reference system, in files older than RFC 7946."""
_SWAPPED = "; are the axes swapped? Longitude comes first (RFC 7946, 3.1.1)"


@dataclass(frozen=True, slots=True)
class Outline:
    """The outline of a region.

    Attributes:
        polygons: Its polygons, turned as RFC 7946 requires.
        box: Its bounding box.
    """

    polygons: list[Polygon]
    box: Box


def check_outlines(
    declared: Outlines, seed: Path, region_codes: RegionCodes
) -> tuple[dict[str, Outline], list[Issue]]:
    """Read the outlines next to a seed file; returns them by region, and all issues."""
    path = seed.parent / declared.file
    try:
        content = path.read_bytes()
    except OSError as error:
        found = f"{path.name}: {error.strerror or error}"
        return {}, [Issue("/outlines/file", found, "a file next to the seed")]
    actual = hashlib.sha256(content).hexdigest()
    if actual != declared.sha256:
        expected = f"{actual}, the SHA-256 of {path.name}"
        return {}, [Issue("/outlines/sha256", declared.sha256, expected)]
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        found = f"{path.name}: {str(error) or 'nested too deep'}"
        return {}, [Issue("/outlines/file", found, "GeoJSON (RFC 7946)")]
    reader = _OutlineReader(f"{path.name}#", region_codes)
    return reader.outlines, list(reader.check(document))


class _OutlineReader:
    """Checks a feature collection and collects the outlines of the regions.

    Attributes:
        outlines: Valid outlines, by region.
    """

    def __init__(self, base: str, region_codes: RegionCodes) -> None:
        self.outlines: dict[str, Outline] = {}
        self._base, self._region_codes = base, region_codes
        self._regions = {id_ for _, id_, _ in region_codes}
        self._pointers: dict[str, str] = {}

    def check(self, document: Any) -> Iterator[Issue]:
        """Every issue of a parsed file."""
        yield from _non_finite(document, self._base)
        if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
            yield _issue(f"{self._base}/type", document, "type", '"FeatureCollection"')
            return
        yield from _check_reference_system(document, self._base)
        features = document.get("features")
        if not isinstance(features, list):
            yield _issue(f"{self._base}/features", document, "features", "a list of features")
            return
        for index, feature in enumerate(features):
            yield from self._check_feature(feature, f"{self._base}/features/{index}")
        boxes = [outline.box for outline in self.outlines.values()]
        if boxes and len(boxes) == len(features):
            yield from _check_box(document, union_box(boxes), self._base)

    def _check_feature(self, feature: Any, pointer: str) -> Iterator[Issue]:
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            yield _issue(f"{pointer}/type", feature, "type", '"Feature"')
            return
        id_, properties = feature.get("id"), feature.get("properties")
        yield from self._check_id(feature, pointer)
        if properties is not None and not isinstance(properties, dict):
            yield _issue(f"{pointer}/properties", feature, "properties", "an object or null")
        elif isinstance(id_, str):
            yield from self._compare_codes(id_, properties or {})
        if feature.get("geometry", 0) is None:
            return  # a feature without a place (RFC 7946, 3.2)
        fault = _geometry_fault(feature.get("geometry"), f"{pointer}/geometry")
        if fault is not None:
            yield fault
            return
        polygons = polygons_of(feature["geometry"])
        box = polygons_box(polygons)
        yield from _check_box(feature, box, pointer)
        if isinstance(id_, str):
            self.outlines.setdefault(id_, Outline(polygons, box))

    def _check_id(self, feature: dict[str, Any], pointer: str) -> Iterator[Issue]:
        id_ = feature.get("id")
        if not isinstance(id_, str) or id_ not in self._regions:
            yield _issue(f"{pointer}/id", feature, "id", "the id of one of the regions")
        elif (first := self._pointers.setdefault(id_, pointer)) != pointer:
            yield _issue(f"{pointer}/id", feature, "id", f"an id other than that of {first}")

    def _compare_codes(self, id_: str, properties: Mapping[str, Any]) -> Iterator[Issue]:
        """Codes of a region must be those in the properties of its outline, if there are any."""
        for pointer, region, codes in self._region_codes:
            for field, code in codes.items() if region == id_ else ():
                drawn = properties.get(field)
                if code and drawn and code != drawn:
                    expected = f"{drawn}, as in the outlines"
                    yield Issue(f"{pointer}/{field}", format_value(code), expected)


def _geometry_fault(geometry: Any, pointer: str) -> Issue | None:
    """The first fault of a geometry: a projected file has one in each of its positions."""
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        return _issue(
            f"{pointer}/type",
            geometry,
            "type",
            '"Polygon" or "MultiPolygon", or a geometry of null',
        )
    coordinates, pointer = geometry.get("coordinates"), f"{pointer}/coordinates"
    if geometry["type"] == "Polygon":
        return _polygon_fault(coordinates, pointer)
    if not isinstance(coordinates, list) or not coordinates:
        return Issue(pointer, format_value(coordinates), "at least one polygon")
    faults = (
        _polygon_fault(polygon, f"{pointer}/{index}") for index, polygon in enumerate(coordinates)
    )
    return next(filter(None, faults), None)


def _polygon_fault(polygon: Any, pointer: str) -> Issue | None:
    if not isinstance(polygon, list) or not polygon:
        return Issue(pointer, format_value(polygon), "at least one ring of positions")
    faults = (_ring_fault(ring, f"{pointer}/{index}") for index, ring in enumerate(polygon))
    return next(filter(None, faults), None)


def _ring_fault(ring: Any, pointer: str) -> Issue | None:
    if not isinstance(ring, list):
        return Issue(pointer, format_value(ring), "a list of positions")
    for index, position in enumerate(ring):
        if (expected := _position_fault(position)) is not None:
            return Issue(f"{pointer}/{index}", format_value(position), expected)
    if len(ring) < _MIN_POSITIONS:
        found = count_noun(len(ring), "position")
        return Issue(pointer, found, "at least 4, the last of which is the first (RFC 7946, 3.1.6)")
    if ring[0] != ring[-1]:
        expected = f"{format_value(ring[0])}, the first position: a ring is closed"
        return Issue(f"{pointer}/{len(ring) - 1}", format_value(ring[-1]), expected)
    for index, (start, end) in enumerate(pairwise(ring), start=1):
        if abs(start[0] - end[0]) > 180 and {abs(start[0]), abs(end[0])} != {180}:
            found = f"{format_value(start[0])} to {format_value(end[0])} degrees of longitude"
            expected = "a polygon cut in two at the antimeridian (RFC 7946, 3.1.9)"
            return Issue(f"{pointer}/{index}", found, expected)
    return None


def _position_fault(position: Any) -> str | None:
    """What a position should be; None if it is valid."""
    if not isinstance(position, list) or len(position) not in (2, 3):
        return "longitude and latitude, and at most an altitude"
    if not all(isinstance(number, int | float) and number is not True for number in position):
        return "numbers, without quotes"
    longitude, latitude = position[:2]
    if abs(longitude) <= 180 and abs(latitude) <= 90:
        return None
    name, limit = _AXES[abs(longitude) <= 180]
    expected = f"a {name} from -{limit} to {limit} degrees (WGS 84)"
    if abs(latitude) <= 180 and abs(longitude) <= 90:
        return f"{expected}{_SWAPPED}"
    if abs(longitude) > 360 or abs(latitude) > 360:
        return f"{expected}; are these meters of a projection?"
    return expected


def _check_box(member: dict[str, Any], actual: Box, pointer: str) -> Iterator[Issue]:
    """`bbox` has 4 numbers, or 6 with altitudes, and is that of the coordinates."""
    given = member.get("bbox")
    if given is None:
        return
    pointer = f"{pointer}/bbox"
    if (
        not isinstance(given, list)
        or len(given) not in (4, 6)
        or not all(isinstance(number, int | float) and number is not True for number in given)
    ):
        yield Issue(pointer, format_value(given), "4 numbers, or 6 with altitudes (RFC 7946, 5)")
        return
    half = len(given) // 2
    box = (given[0], given[1], given[half], given[half + 1])
    west, south, east, north = actual
    unwrapped = (-180, south, 180, north) if west > east else actual
    if not _is_near(box, actual) and not _is_near(box, unwrapped):
        swapped = _SWAPPED if _is_near(box, (south, west, north, east)) else ""
        expected = f"{format_value(actual)}, the box of the coordinates{swapped}"
        yield Issue(pointer, format_value(given), expected)


def _is_near(box: Sequence[float], other: Sequence[float]) -> bool:
    return all(
        abs(number - actual) <= _BOX_TOLERANCE_DEGREES
        for number, actual in zip(box, other, strict=True)
    )


def _check_reference_system(document: dict[str, Any], pointer: str) -> Iterator[Issue]:
    """A `crs` member, which RFC 7946 removed, must name the only system that is left."""
    crs = document.get("crs")
    if crs is not None and not json.dumps(crs).rstrip('"} ').endswith(_WGS_84):
        expected = "longitude and latitude of WGS 84, without crs (RFC 7946, 4)"
        yield Issue(f"{pointer}/crs", format_value(crs), expected)


def _non_finite(value: Any, pointer: str) -> Iterator[Issue]:
    """NaN and infinities, which Python's parser accepts and JSON does not have."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _non_finite(member, f"{pointer}/{escape_pointer(key)}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _non_finite(member, f"{pointer}/{index}")
    elif isinstance(value, float) and not abs(value) < float("inf"):
        yield Issue(pointer, format_value(value), "a number: JSON has no NaN or infinity")


def _issue(pointer: str, holder: Any, key: str, expected: str) -> Issue:
    """An issue of a member of an object, or of the value that should be that object."""
    if not isinstance(holder, dict):
        return Issue(pointer.rpartition("/")[0], format_value(holder), "an object")
    found = format_value(holder[key]) if key in holder else "nothing"
    return Issue(pointer, found, expected)
