"""Bounding boxes on a sphere: the smallest ones, across the antimeridian if need be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.outline import Box, Polygon, point_inside, union_box

LONGITUDES = st.integers(-180, 180)
BOXES = st.builds(lambda west, east: (west, 0, east, 1), LONGITUDES, LONGITUDES)


@pytest.mark.parametrize(
    ("longitudes", "expected"),
    [
        ([(-77, -76), (-74, -70)], (-77, -70)),
        ([(10, 20), (12, 15)], (10, 20)),
        ([(177, 180), (-180, -178)], (177, -178)),
        ([(172, 177), (-174, -150)], (172, -150)),
        ([(177, -178), (-179, -170)], (177, -170)),
        ([(-180, 180), (0, 1)], (-180, 180)),
        ([(-90, -80), (90, 100)], (-90, 100)),
        ([(5, 5)], (5, 5)),
    ],
)
def test_the_smallest_box_is_found(
    longitudes: list[tuple[float, float]], expected: tuple[float, float]
) -> None:
    """West is greater than east only if the box across the antimeridian is smaller."""
    west, _, east, _ = union_box((west, 0, east, 1) for west, east in longitudes)
    assert (west, east) == expected


@given(st.lists(BOXES, min_size=1, max_size=5), LONGITUDES)
def test_a_box_contains_its_parts(boxes: list[Box], longitude: int) -> None:
    """Every longitude of a part is in the whole."""
    if any(contains(box, longitude) for box in boxes):
        assert contains(union_box(boxes), longitude)


def contains(box: Box, longitude: float) -> bool:
    """Whether a longitude is within a box."""
    west, _, east, _ = box
    same = {longitude, -longitude} if abs(longitude) == 180 else {longitude}
    if west <= east:
        return any(west <= degrees <= east for degrees in same)
    return any(degrees >= west or degrees <= east for degrees in same)


def test_latitudes_are_the_outermost() -> None:
    """South and north are the minimum and maximum."""
    assert union_box([(0, -5, 1, 3), (0, -2, 1, 9)]) == (0, -5, 1, 9)


def test_there_is_no_box_of_nothing() -> None:
    """No box is not an empty one."""
    with pytest.raises(ValueError, match="not enough values"):
        union_box([])


SQUARE = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0), (0.0, 0.0)]
HOLE = [(1.0, 1.0), (1.0, 3.0), (3.5, 3.0), (3.5, 1.0), (1.0, 1.0)]


@pytest.mark.parametrize(
    ("polygons", "expected"),
    [
        ([[SQUARE]], (2, 2)),
        ([[SQUARE, HOLE]], (0.5, 2)),
        ([[[(x / 9 + 9, y) for x, y in SQUARE]], [SQUARE]], (2, 2)),
        ([[[(0.0, 0.0), (1.0, 1.0), (0.0, 0.0), (0.0, 0.0)]]], None),
        ([[[(5.0, 5.0)] * 4]], None),
    ],
)
def test_a_point_inside_is_found(
    polygons: list[Polygon], expected: tuple[float, float] | None
) -> None:
    """It lies in the largest polygon, beside its holes; what has no area has none."""
    assert point_inside(polygons) == expected


def test_a_point_inside_a_bent_outline_is_not_its_center() -> None:
    """The center of a crescent lies outside."""
    ring = [(0.0, 0.0), (5.0, 0.0), (5.0, 1.0), (1.0, 1.0), (1.0, 4.0), (5.0, 4.0), (5.0, 5.0)]
    assert point_inside([[[*ring, (0.0, 5.0), (0.0, 0.0)]]]) == (0.5, 2.5)
