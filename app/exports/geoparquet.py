"""Outlines as well-known binary, and their description by GeoParquet 1.1."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import pack
from typing import Any

from app.models.outline import Box, Polygon, polygons_box, polygons_of, union_box

Json = dict[str, Any]

_LITTLE_ENDIAN = 1
_WKB_TYPES = {"Polygon": 3, "MultiPolygon": 6}


@dataclass(frozen=True, slots=True)
class Geometry:
    """The outline of a region.

    Attributes:
        type: `Polygon` or `MultiPolygon`.
        wkb: Well-known binary (OGC 06-103r4, 8.2).
        box: Bounding box in degrees; west is greater than east across the antimeridian.
    """

    type: str
    wkb: bytes
    box: Box

    @property
    def covering(self) -> dict[str, float]:
        """A box of the whole outline whose west is never greater than its east.

        Readers skip rows whose box is outside of the one that they look for, without regard to the
        antimeridian: an outline across it is in a box around the Earth.
        """
        west, south, east, north = self.box
        if west > east:
            west, east = -180, 180
        return {"xmin": west, "ymin": south, "xmax": east, "ymax": north}


def read_geometry(connection: sqlite3.Connection, region: str) -> Geometry | None:
    """The outline of a region in the exported database; None if it has none."""
    row = connection.execute("SELECT geometry FROM outlines WHERE region = ?", (region,)).fetchone()
    if row is None:
        return None
    geometry = json.loads(row[0])
    polygons = polygons_of(geometry)
    return Geometry(geometry["type"], _wkb(geometry["type"], polygons), polygons_box(polygons))


def describe_geometries(geometries: Sequence[Geometry]) -> Json:
    """The `geo` metadata of a file with these geometries (GeoParquet 1.1).

    There is no `crs`: coordinates are longitude and latitude on WGS 84, as in GeoJSON.
    """
    box = {side: ["bbox", side] for side in ("xmin", "ymin", "xmax", "ymax")}
    column: Json = {
        "encoding": "WKB",
        "geometry_types": sorted({geometry.type for geometry in geometries}),
        "orientation": "counterclockwise",
        "covering": {"bbox": box},
    }
    if geometries:
        column["bbox"] = union_box(geometry.box for geometry in geometries)
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


def _wkb(type_: str, polygons: Sequence[Polygon]) -> bytes:
    if type_ == "Polygon":
        return _polygon_wkb(polygons[0])
    return _wkb_list(type_, map(_polygon_wkb, polygons))


def _polygon_wkb(polygon: Polygon) -> bytes:
    rings = (
        pack("<I", len(ring)) + b"".join(pack("<dd", *point) for point in ring) for ring in polygon
    )
    return _wkb_list("Polygon", rings)


def _wkb_list(type_: str, members: Iterable[bytes]) -> bytes:
    """A geometry of several parts, each of which is already well-known binary."""
    parts = list(members)
    return pack("<BII", _LITTLE_ENDIAN, _WKB_TYPES[type_], len(parts)) + b"".join(parts)
