"""Read the regions as GeoParquet and GeoJSON, in geopandas and in GDAL, which QGIS uses."""

from __future__ import annotations

import geopandas as gpd
import pyogrio
from output import Table, main, table


def geoparquet(address: str, name: str) -> Table:
    """The GeoParquet file, by address."""
    return described(gpd.read_parquet(f"{address}/v1/exports/{name}.parquet"))


def boxed(address: str, name: str) -> Table:
    """Those in a part of Peru that has only one of them."""
    box = (-73, -15, -71, -12)
    return described(gpd.read_parquet(f"{address}/v1/exports/{name}.parquet", bbox=box))


def geojson(address: str, name: str) -> Table:
    """The GeoJSON file through GDAL, by the address that QGIS hands to it."""
    source = f"/vsicurl/{address}/v1/exports/{name}.geojson"
    information = pyogrio.read_info(source)
    types = dict(zip(information["fields"], information["ogr_types"], strict=True))
    found = described(gpd.read_file(source))
    return {**found, "types": {name: type_.removeprefix("OFT") for name, type_ in types.items()}}


def described(found: gpd.GeoDataFrame) -> Table:
    """A table with outlines as text and their coordinate reference system."""
    outlines = zip(found.drop(columns="geometry").to_dict("records"), found.geometry, strict=True)
    rows = ({**row, "geometry": outline.wkt, "crs": str(found.crs)} for row, outline in outlines)
    return table(found.dtypes.to_dict(), rows)


main(
    {
        "geopandas": (
            gpd.__version__,
            {"GeoParquet": geoparquet, "GeoParquet, `bbox`": boxed},
        ),
        "GDAL": (pyogrio.__gdal_version_string__, {"GeoJSON": geojson}),
    }
)
