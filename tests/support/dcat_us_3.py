"""A schema of what the catalog may contain, in which nothing else is allowed.

The JSON schema that Data.gov harvests by accepts every unknown member, and so every misspelt one.
This one is narrower: it has the members used here, in the form that they have in DCAT-US 3.0.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

Json = dict[str, Any]

_TEXT: Json = {"type": "string", "minLength": 1}
_URL: Json = {"type": "string", "pattern": "^https?://[^ ]+$"}
_DATE: Json = {"type": "string", "pattern": r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"}
_LANGUAGES: Json = {"type": "array", "items": {"type": "string", "maxLength": 2}, "minItems": 1}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items, "minItems": 1}


def _object(type_: str, members: Mapping[str, Json], optional: Collection[str] = ()) -> Json:
    """An object of a type, with these members; those that are not optional are required."""
    return {
        "type": "object",
        "properties": {"@type": {"const": type_}, **members},
        "required": ["@type", *(name for name in members if name not in optional)],
        "additionalProperties": False,
    }


_CONTACT = _object(
    "vcard:Kind",
    {
        "@id": _URL,
        "fn": _TEXT,
        "hasEmail": {
            "type": "string",
            "pattern": r"^mailto:[\w~!$&'()*+,;=:.-]+@[\w.-]+\.[\w.-]+$",
        },
    },
)
_ORGANIZATION = _object("org:Organization", {"@id": _URL, "name": _TEXT})
_CREATOR = _object("foaf:Organization", {"name": _TEXT})
_PAGE = _object("foaf:Document", {"@id": _URL, "title": _TEXT, "accessURL": _URL})
_STANDARD = _object(
    "dcterms:Standard", {"@id": _URL, "title": _TEXT, "identifier": _URL}, optional=["title"]
)
_CHECKSUM = _object(
    "spdx:Checksum",
    {
        "algorithm": {"const": "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"},
        "checksumValue": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    },
)
_DISTRIBUTION = _object(
    "dcat:Distribution",
    {
        "@id": _URL,
        "title": _TEXT,
        "description": _TEXT,
        "format": _TEXT,
        "mediaType": {"type": "string", "pattern": r"^[a-z]+/[a-z0-9.+-]+$"},
        "accessURL": _URL,
        "downloadURL": _URL,
        "modified": _DATE,
        "license": _URL,
        "rights": _list(_TEXT),
        "byteSize": {"type": "string", "pattern": "^[0-9]+$"},
        "checksum": _CHECKSUM,
        "conformsTo": _list(_STANDARD),
    },
    optional=["conformsTo"],
)
_DESCRIPTION = _object(
    "dcat:Distribution",
    {"title": _TEXT, "downloadURL": _URL, "mediaType": {"const": "application/json"}},
)
_PERIOD = _object("dcterms:PeriodOfTime", {"startDate": _DATE, "endDate": _DATE})
_PLACE = _object("dcterms:Location", {"bbox": _TEXT})
_IDENTITY = {
    "@id": _URL,
    "identifier": _URL,
    "title": _TEXT,
    "description": _TEXT,
    "contactPoint": _list(_CONTACT),
}
_DATASET = _object(
    "dcat:Dataset",
    {
        **_IDENTITY,
        "keyword": _list(_TEXT),
        "version": _TEXT,
        "modified": _DATE,
        "publisher": _ORGANIZATION,
        "creator": _CREATOR,
        "accessRights": _TEXT,
        "rights": _list(_TEXT),
        "provenance": _list(_TEXT),
        "language": _LANGUAGES,
        "landingPage": _PAGE,
        "page": _list(_PAGE),
        "describedBy": _DESCRIPTION,
        "distribution": _list(_DISTRIBUTION),
        "spatial": _list(_PLACE),
        "temporal": _list(_PERIOD),
        "relation": _list(_URL),
    },
    optional=["spatial", "temporal", "relation"],
)
_SERVICE = _object(
    "dcat:DataService",
    {
        "@id": _URL,
        "title": _TEXT,
        "description": _TEXT,
        "endpointURL": _list(_URL),
        "endpointDescription": _list(_URL),
        "servesDataset": _list(_object("dcat:Dataset", _IDENTITY)),
        "publisher": _ORGANIZATION,
        "contactPoint": _list(_CONTACT),
        "license": _URL,
        "rights": _list(_TEXT),
        "accessRights": _TEXT,
        "language": _LANGUAGES,
    },
)
CLOSED_CATALOG = _object(
    "dcat:Catalog",
    {
        "@context": {"type": "object"},
        "@id": _URL,
        "conformsTo": _STANDARD,
        "title": _TEXT,
        "description": _TEXT,
        "language": _LANGUAGES,
        "modified": _DATE,
        "homepage": _PAGE,
        "publisher": _ORGANIZATION,
        "dataset": {"type": "array", "items": _DATASET, "minItems": 1, "maxItems": 1},
        "service": {"type": "array", "items": _SERVICE, "minItems": 1, "maxItems": 1},
    },
)
"""The schema of the whole catalog."""
