#!/usr/bin/env bash
# pyogrio 0.13.0 with GDAL 3.12.4 (PyPI): an empty list in the first feature of a GeoJSON file turns the whole
# column into JSON text.
#
# Expected: a property that is an array of strings in each feature, some of them empty, is a list of strings
# in GDAL whatever the order of the features.
# Seen: so it is if a feature with members, or null, comes first. If the first array is empty, the column is
# a string with the subtype JSON, and what is written to other formats is text such as `[ "a" ]`.
# Output: first list with a member, null, empty: StringList, StringList, String (JSON)
#
# Why a publisher cares: QGIS and ogr2ogr read GeoJSON this way. Sorting the features, or a correction of the
# first one, changes the type of a column for users, and filters on its members stop to work.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyogrio==0.13.0 pyarrow==26.0.1 >pip.log 2>&1 ||
    { cat pip.log; exit 1; }

cat >check.py <<'PYTHON'
import json

import pyogrio


def read(first):
    features = [
        {"type": "Feature", "properties": {"aliases": aliases},
         "geometry": {"type": "Point", "coordinates": [0, 0]}}
        for aliases in (first, ["a"], ["b", "c"])
    ]
    with open("regions.geojson", "w") as file:
        json.dump({"type": "FeatureCollection", "features": features}, file)
    information = pyogrio.read_info("regions.geojson")
    type_, subtype = information["ogr_types"][0], information["ogr_subtypes"][0]
    table = pyogrio.read_arrow("regions.geojson")[1]
    return type_, subtype, table["aliases"].to_pylist()[1]


seen = [read(["x"]), read(None), read([])]
expected = [
    ("OFTStringList", "OFSTNone", ["a"]),
    ("OFTStringList", "OFSTNone", ["a"]),
    ("OFTString", "OFSTJSON", '[ "a" ]'),
]
assert seen == expected, seen
assert pyogrio.__gdal_version_string__ == "3.12.4", pyogrio.__gdal_version_string__
print("first list with a member, null, empty: StringList, StringList, String (JSON)")
PYTHON
venv/bin/python check.py
