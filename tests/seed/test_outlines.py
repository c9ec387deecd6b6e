"""Outlines are checked as RFC 7946 has it; each issue has a pointer into their file."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.models.outline import Box
from app.seed.errors import Issue, SeedError
from app.seed.record import SeedStream
from tests.conftest import SEED, SeedCopy

Json = dict[str, Any]

SQUARE = [[-75, -5], [-74, -5], [-74, -4], [-75, -4], [-75, -5]]
HOLE = [[-74.6, -4.6], [-74.6, -4.4], [-74.4, -4.4], [-74.4, -4.6], [-74.6, -4.6]]
GEOMETRY = "other.geojson#/features/0/geometry"
RING = f"{GEOMETRY}/coordinates/0"


def collection(*features: Any, **members: Any) -> Json:
    """A feature collection."""
    return {"type": "FeatureCollection", "features": list(features), **members}


def feature(geometry: Any, region: object = "loreto", **members: Any) -> Json:
    """A feature of a region."""
    return {"type": "Feature", "id": region, "properties": None, "geometry": geometry, **members}


def polygon(*rings: Any) -> Json:
    """A polygon of rings."""
    return {"type": "Polygon", "coordinates": list(rings)}


def replace_outlines(seed: SeedCopy, content: object) -> Path:
    """Write other outlines beside a seed, with a matching digest."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    (seed.path.parent / "other.geojson").write_bytes(raw)
    seed.put("/outlines/file", "other.geojson")
    seed.put("/outlines/sha256", hashlib.sha256(raw).hexdigest())
    return seed.write()


def issues_in(seed: SeedCopy, content: object) -> tuple[Issue, ...]:
    """The issues of a seed with other outlines."""
    with pytest.raises(SeedError) as caught:
        list(SeedStream(replace_outlines(seed, content)))
    return caught.value.issues


def read_outlines(seed: SeedCopy, content: object) -> dict[str, tuple[Any, Box]]:
    """Polygons and box of each outline of a valid file."""
    stream = SeedStream(replace_outlines(seed, content))
    assert list(stream)
    return {region: (outline.polygons, outline.box) for region, outline in stream.outlines.items()}


NOT_GEOJSON: dict[str, tuple[object, str, str]] = {
    "empty": (b"", "/outlines/file", "GeoJSON"),
    "not UTF-8": (b"\xff\xfe", "/outlines/file", "GeoJSON"),
    "nested 100,000 deep": (b"[" * 100_000, "/outlines/file", "GeoJSON"),
    "null": (None, "other.geojson#", "an object"),
    "a list": ([], "other.geojson#", "an object"),
    "another type": ({"type": "Topology"}, "other.geojson#/type", '"FeatureCollection"'),
    "a feature": (feature(polygon(SQUARE)), "other.geojson#/type", '"FeatureCollection"'),
    "no features": (
        {"type": "FeatureCollection"},
        "other.geojson#/features",
        "a list of features",
    ),
    "features of null": (
        {"type": "FeatureCollection", "features": None},
        "other.geojson#/features",
        "a list of features",
    ),
    "text as a feature": (collection("loreto"), "other.geojson#/features/0", "an object"),
    "a geometry as a feature": (
        collection(polygon(SQUARE)),
        "other.geojson#/features/0/type",
        '"Feature"',
    ),
    "NaN": (
        collection(feature(polygon(SQUARE), properties={"size": float("nan")})),
        "other.geojson#/features/0/properties/size",
        "no NaN",
    ),
    "a projection": (
        collection(crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32718"}}),
        "other.geojson#/crs",
        "WGS 84",
    ),
}


@pytest.mark.parametrize(("content", "pointer", "expected"), NOT_GEOJSON.values(), ids=NOT_GEOJSON)
def test_a_file_must_be_a_feature_collection(
    seed: SeedCopy, content: object, pointer: str, expected: str
) -> None:
    """Other content is an issue with a pointer into the file, not a crash."""
    [issue] = issues_in(seed, content)
    assert issue.pointer == pointer
    assert expected in issue.expected


INVALID: dict[str, tuple[Any, str, str]] = {
    "no type": ({}, f"{GEOMETRY}/type", "or a geometry of null"),
    "text": ("POLYGON EMPTY", GEOMETRY, "an object"),
    "point": ({"type": "Point", "coordinates": [1, 2]}, f"{GEOMETRY}/type", '"MultiPolygon"'),
    "no coordinates": ({"type": "Polygon"}, f"{GEOMETRY}/coordinates", "at least one ring"),
    "empty polygon": (polygon(), f"{GEOMETRY}/coordinates", "at least one ring"),
    "empty multipolygon": (
        {"type": "MultiPolygon", "coordinates": []},
        f"{GEOMETRY}/coordinates",
        "at least one polygon",
    ),
    "empty part": (
        {"type": "MultiPolygon", "coordinates": [[SQUARE], []]},
        f"{GEOMETRY}/coordinates/1",
        "at least one ring",
    ),
    "polygon as a multipolygon": (
        {"type": "MultiPolygon", "coordinates": [SQUARE]},
        f"{RING}/0/0",
        "longitude and latitude",
    ),
    "empty ring": (polygon([]), RING, "at least 4"),
    "ring of null": (polygon(None), RING, "a list of positions"),
    "3 positions": (polygon([[0, 0], [1, 1], [0, 0]]), RING, "at least 4"),
    "open ring": (polygon(SQUARE[:-1]), f"{RING}/3", "[-75, -5], the first position"),
    "open hole": (
        polygon(SQUARE, HOLE[:-1]),
        f"{GEOMETRY}/coordinates/1/3",
        "the first position",
    ),
    "one number": (polygon([[0], [1], [2], [0]]), f"{RING}/0", "longitude and latitude"),
    "4 numbers": (polygon([[0, 0, 0, 0]] * 4), f"{RING}/0", "at most an altitude"),
    "strings": (polygon([["-75", "-5"], *SQUARE[1:]]), f"{RING}/0", "without quotes"),
    "null": (polygon([[None, -5], *SQUARE[1:]]), f"{RING}/0", "numbers"),
    "boolean": (polygon([[True, -5], *SQUARE[1:]]), f"{RING}/0", "numbers"),
    "latitude out of range": (polygon([[-75, -95], *SQUARE[1:]]), f"{RING}/0", "latitude from -90"),
    "longitude out of range": (
        polygon([*SQUARE[:2], [190, 1], *SQUARE[3:]]),
        f"{RING}/2",
        "longitude from -180 to 180",
    ),
    "swapped axes": (
        polygon([[21, 105], [22, 105], [22, 106], [21, 106], [21, 105]]),
        f"{RING}/0",
        "are the axes swapped?",
    ),
    "meters": (polygon([[280_000, 8_670_000]] * 4), f"{RING}/0", "meters of a projection?"),
    "infinity": (polygon([[10**400, 0], *SQUARE[1:]]), f"{RING}/0", "longitude from -180 to 180"),
    "uncut at the antimeridian": (
        polygon([[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]),
        f"{RING}/1",
        "cut in two at the antimeridian",
    ),
}


@pytest.mark.parametrize(("geometry", "pointer", "expected"), INVALID.values(), ids=INVALID)
def test_an_invalid_geometry_is_rejected(
    seed: SeedCopy, geometry: object, pointer: str, expected: str
) -> None:
    """The issue has the pointer of the first fault and says what would be right."""
    [issue] = issues_in(seed, collection(feature(geometry)))
    assert issue.pointer == pointer
    assert expected in issue.expected


def test_swapped_axes_are_not_suspected_where_they_would_not_fit(seed: SeedCopy) -> None:
    """A longitude of 190 degrees is no latitude either."""
    [issue] = issues_in(seed, collection(feature(polygon([[190, 1], *SQUARE[1:]]))))
    assert "swapped" not in issue.expected


def test_a_geometry_is_required(seed: SeedCopy) -> None:
    """A feature says `null` if it has no place (RFC 7946, 3.2)."""
    bare = feature(None)
    del bare["geometry"]
    [issue] = issues_in(seed, collection(bare))
    assert issue.pointer.startswith(GEOMETRY)


@pytest.mark.parametrize(
    ("id_", "expected"),
    [
        ("atlantis", "one of the regions"),
        (None, "one of the regions"),
        (1, "one of the regions"),
        ([], "one of the regions"),
        ("cusco", "an id other than that of other.geojson#/features/0"),
    ],
)
def test_each_outline_belongs_to_one_region(seed: SeedCopy, id_: object, expected: str) -> None:
    """An id that is missing, duplicate or not that of a region is rejected."""
    outlines = collection(feature(None, "cusco"), feature(polygon(SQUARE), id_))
    [issue] = issues_in(seed, outlines)
    assert issue.pointer == "other.geojson#/features/1/id"
    assert expected in issue.expected


@pytest.mark.parametrize("properties", [[], "Loreto"])
def test_properties_must_be_an_object(seed: SeedCopy, properties: object) -> None:
    """`properties` of another type are an issue, not a crash."""
    [issue] = issues_in(seed, collection(feature(polygon(SQUARE), properties=properties)))
    assert issue.pointer == "other.geojson#/features/0/properties"


@pytest.mark.parametrize("properties", [None, {}])
def test_an_outline_may_have_no_properties(seed: SeedCopy, properties: object) -> None:
    """`properties` may be empty or null (RFC 7946, 3.2)."""
    assert read_outlines(seed, collection(feature(polygon(SQUARE), properties=properties)))


@pytest.mark.parametrize(
    ("bbox", "expected"),
    [
        ([-75, -5, -74], "4 numbers, or 6"),
        (["-75", "-5", "-74", "-4"], "4 numbers, or 6"),
        ("all", "4 numbers, or 6"),
        ([-75, -5, -74, -3], "[-75, -5, -74, -4], the box of the coordinates"),
        ([-5, -75, -4, -74], "are the axes swapped?"),
        ([-74, -5, -75, -4], "[-75, -5, -74, -4], the box of the coordinates"),
    ],
)
def test_a_box_must_be_that_of_the_coordinates(seed: SeedCopy, bbox: object, expected: str) -> None:
    """A `bbox` that is malformed or contradicts the coordinates is rejected."""
    square = feature(polygon(SQUARE))
    for place, outlines in (
        ("/features/0", collection({**square, "bbox": bbox})),
        ("", collection(square, bbox=bbox)),
    ):
        [issue] = issues_in(seed, outlines)
        assert issue.pointer == f"other.geojson#{place}/bbox"
        assert expected in issue.expected


@pytest.mark.parametrize(
    "bbox", [None, [-75, -5, -74, -4], [-75, -5, 0, -74, -4, 900], [-75.001, -5.004, -74, -4]]
)
def test_the_box_is_computed(seed: SeedCopy, bbox: object) -> None:
    """A box may be missing, rounded, or have altitudes; the served one is computed."""
    outlines = collection(feature(polygon(SQUARE), bbox=bbox), bbox=bbox)
    assert read_outlines(seed, outlines)["loreto"][1] == (-75, -5, -74, -4)


def test_rings_are_turned_and_altitudes_dropped(seed: SeedCopy) -> None:
    """Outer rings run counterclockwise and holes clockwise (RFC 7946, 3.1.6)."""
    high = [[*position, 900] for position in SQUARE]
    for outer in (SQUARE, SQUARE[::-1], high, high[::-1]):
        for hole in (HOLE, HOLE[::-1]):
            polygons, _ = read_outlines(seed, collection(feature(polygon(outer, hole))))["loreto"]
            [[turned, turned_hole]] = polygons
            assert sorted(map(list, turned)) == sorted(SQUARE)
            assert signed_area(turned) > 0 > signed_area(turned_hole)


def signed_area(ring: list[tuple[float, float]]) -> float:
    """Area of a ring; positive if it runs counterclockwise."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring)) / 2


def test_a_ring_without_an_area_is_kept(seed: SeedCopy) -> None:
    """A line there and back is valid, if odd."""
    line = [[0, 0], [1, 1], [2, 2], [0, 0]]
    polygons, box = read_outlines(seed, collection(feature(polygon(line))))["loreto"]
    assert polygons == [[list(map(tuple, line))]]
    assert box == (0, 0, 2, 2)


def test_a_region_may_lie_across_the_antimeridian(seed: SeedCopy) -> None:
    """It is cut in two, and its box has a west greater than its east (RFC 7946, 5.2)."""
    west = [[177, -20], [180, -20], [180, -16], [177, -16], [177, -20]]
    east = [[-180, -20], [-178, -20], [-178, -16], [-180, -16], [-180, -20]]
    geometry = {"type": "MultiPolygon", "coordinates": [[west], [east]]}
    for bbox in (None, [177, -20, -178, -16], [-180, -20, 180, -16]):
        [(polygons, box)] = read_outlines(seed, collection(feature(geometry, bbox=bbox))).values()
        assert box == (177, -20, -178, -16)
        assert len(polygons) == 2


def test_an_outline_may_be_missing(seed: SeedCopy) -> None:
    """A region without a feature, or with a geometry of `null`, has no outline."""
    assert not read_outlines(seed, collection())
    assert not read_outlines(seed, collection(feature(None)))


def test_a_record_may_have_no_outlines(seed: SeedCopy) -> None:
    """`outlines` may be left out or `null`."""
    for value in (None, ...):
        if value is ...:
            seed.take("/outlines")
        else:
            seed.put("/outlines", value)
        stream = SeedStream(seed.write())
        assert list(stream)
        assert not stream.outlines
        assert stream.metadata.outlines is None


def test_the_shipped_outlines_are_kept() -> None:
    """Valid outlines are compiled as they are written."""
    stream = SeedStream(SEED)
    assert list(stream)
    shipped = json.loads((SEED.parent / "regions.geojson").read_text("utf-8"))
    assert len(stream.outlines) == len(shipped["features"])
    for drawn in shipped["features"]:
        outline = stream.outlines[drawn["id"]]
        assert list(outline.box) == drawn["bbox"]
        assert [[list(map(list, ring)) for ring in rings] for rings in outline.polygons] == [
            drawn["geometry"]["coordinates"]
        ]
