"""The extent of a record is that of all its regions, or none is given."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.archive.release import build_archive
from app.exports.dcat import outline_bounds
from tests.conftest import SeedCopy

FIJI = [[[177, -20], [180, -20], [180, -16], [177, -16], [177, -20]]]
SAMOA = [[[-173, -14], [-171, -14], [-171, -13], [-173, -13], [-173, -14]]]
REGIONS = ("metropolitan-lima", "cusco", "loreto")


def bounds(seed: SeedCopy, archive: Path) -> tuple[float, float, float, float] | None:
    """The extent of the record that a seed is compiled to."""
    build_archive(seed.write(), archive)
    with closing(sqlite3.connect(archive)) as connection:
        return outline_bounds(connection)


@pytest.mark.parametrize(
    ("outlined", "expected"),
    [
        ([FIJI, SAMOA, FIJI], (177, -20, -171, -13)),
        ([FIJI, FIJI, FIJI], (177, -20, 180, -16)),
        ([FIJI, SAMOA, None], None),
        ([FIJI, SAMOA], None),
        ([], None),
    ],
)
def test_the_extent_is_that_of_all_regions(
    seed: SeedCopy, tmp_path: Path, outlined: list[object], expected: object
) -> None:
    """If one region has no outline, the record has no extent."""
    features = [
        {
            "type": "Feature",
            "id": region,
            "geometry": rings and {"type": "Polygon", "coordinates": rings},
        }
        for region, rings in zip(REGIONS, outlined, strict=False)
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    (seed.path.parent / "regions.geojson").write_bytes(content)
    seed.put("/outlines/sha256", hashlib.sha256(content).hexdigest())
    assert bounds(seed, tmp_path / "archive.sqlite") == expected


def test_a_record_without_outlines_has_no_extent(seed: SeedCopy, tmp_path: Path) -> None:
    """Outlines are optional."""
    seed.take("/outlines")
    assert bounds(seed, tmp_path / "archive.sqlite") is None
