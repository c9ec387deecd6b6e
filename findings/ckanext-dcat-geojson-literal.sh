#!/usr/bin/env bash
# ckanext-dcat 2.4.4 (PyPI), with CKAN 2.12.0's library: loses an extent whose datatype is GeoSPARQL's for GeoJSON.
#
# Expected: a bounding box as a literal of GeoSPARQL is read, be it WKT (`geo:wktLiteral`) or GeoJSON
# (`geo:geoJSONLiteral`, since GeoSPARQL 1.1), as the extension stores extents as GeoJSON anyway.
# Seen: WKT is read. GeoJSON is read without a datatype, and with the retired media type
# `application/vnd.geo+json` as one. With `geo:geoJSONLiteral` the dataset has no extent, without a message.
# Output: ckanext-dcat 2.4.4: extent from WKT, GeoJSON untyped and as vnd.geo+json, none from geo:geoJSONLiteral
#
# Why a publisher cares: a catalog that follows the standard is harvested without an error, but its dataset
# is on no map and is never found by place.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ckanext-dcat==2.4.4 ckan==2.12.0 alembic==1.20.1 dominate==2.9.1 \
    file-keeper==0.2.6 flask==3.1.3 flask-babel==4.0.0 flask-login==0.6.3 \
    markdown==3.11.3 msgspec==0.22.0 nh3==0.3.8 packaging==26.4 \
    passlib==1.7.4 polib==1.2.0 pyjwt==2.15.1 pysolr==3.11.0 \
    rq==3.0.0 simplejson==4.3.0 sqlalchemy==2.0.58 typing-extensions==4.16.0 \
    tzlocal==5.4.5 webassets==3.0.0 \
    >pip.log 2>&1 || { cat pip.log; exit 1; }

cat >check.py <<'PYTHON'
import json
import sys

from ckanext.dcat.processors import RDFParser

GEOJSON = json.dumps({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]})
LITERALS = {
    "WKT": json.dumps("POLYGON((0 0, 1 0, 1 1, 0 1, 0 0))") + "^^geo:wktLiteral",
    "untyped": json.dumps(GEOJSON),
    "media type": json.dumps(GEOJSON)
    + "^^<https://www.iana.org/assignments/media-types/application/vnd.geo+json>",
    "GeoSPARQL": json.dumps(GEOJSON) + "^^geo:geoJSONLiteral",
}
CATALOG = """
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix geo: <http://www.opengis.net/ont/geosparql#> .
<https://example.org/d> a dcat:Dataset ; dct:title "Towns" ;
    dct:spatial [ a dct:Location ; dcat:bbox LITERAL ] .
"""


def has_extent(literal, profile):
    parser = RDFParser(profiles=[profile])
    parser.parse(CATALOG.replace("LITERAL", literal), _format="turtle")
    [dataset] = parser.datasets()
    extras = {extra["key"]: extra["value"] for extra in dataset["extras"]}
    return "spatial_bbox" in extras and json.loads(extras["spatial_bbox"])["type"] == "Polygon"


for profile in ("euro_dcat_ap_3", "dcat_us_3"):
    seen = {name: has_extent(literal, profile) for name, literal in LITERALS.items()}
    if seen != {"WKT": True, "untyped": True, "media type": True, "GeoSPARQL": False}:
        sys.exit(f"ckanext-dcat has changed: {profile} {seen}")
print(
    "ckanext-dcat 2.4.4: extent from WKT, GeoJSON untyped and as vnd.geo+json, "
    "none from geo:geoJSONLiteral"
)
PYTHON
venv/bin/python check.py
