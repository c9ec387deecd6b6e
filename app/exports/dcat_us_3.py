"""The record as a DCAT-US 3.0 catalog with one dataset and one data service, as JSON-LD.

It follows the JSON schema of DCAT-US 3.0, which Data.gov harvests by. That schema has no context;
this one has its own, with the terms used here, so that the same file is RDF without a download.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from app.archive.archive import Archive
from app.exports.citing import author_name
from app.exports.dcat import (
    Json,
    Publisher,
    distribution_id,
    outline_bounds,
    source_urls,
    temporal_period,
)
from app.exports.files import FileDigest
from app.exports.listing import CATALOG_3, Export
from app.exports.terms import licenses
from app.models.outline import Box, box_polygons, geometry_of
from app.responses.representations import encode_json

_STANDARD = "https://resources.data.gov/dcat-us/3.0.0"
_SHA_256 = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"
_GEOJSON = "https://www.iana.org/assignments/media-types/application/vnd.geo+json"
"""Datatype of GeoJSON text that CKAN knows; it loses boxes with that of GeoSPARQL."""
_ACCESS = "Open to everyone, without registration."

_NAMESPACES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcat-us": "http://resources.data.gov/ontology/dcat-us#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "org": "http://www.w3.org/ns/org#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_PLAIN_TERMS = {
    "dcat": "contactPoint dataset distribution endDate keyword service servesDataset startDate "
    "version",
    "dcat-us": "describedBy",
    "dcterms": "accessRights conformsTo creator description format identifier language provenance "
    "publisher rights spatial temporal title",
    "foaf": "homepage name page",
    "spdx": "checksum",
    "vcard": "fn",
}
"""Members whose values are text or objects, by the namespace of their property."""
_TYPED_TERMS = {
    "accessURL": ("dcat:accessURL", "@id"),
    "algorithm": ("spdx:algorithm", "@id"),
    "bbox": ("dcat:bbox", _GEOJSON),
    "byteSize": ("dcat:byteSize", "xsd:nonNegativeInteger"),
    "checksumValue": ("spdx:checksumValue", "xsd:hexBinary"),
    "downloadURL": ("dcat:downloadURL", "@id"),
    "endpointDescription": ("dcat:endpointDescription", "@id"),
    "endpointURL": ("dcat:endpointURL", "@id"),
    "hasEmail": ("vcard:hasEmail", "@id"),
    "landingPage": ("dcat:landingPage", "@id"),
    "license": ("dcterms:license", "@id"),
    "modified": ("dcterms:modified", "xsd:date"),
    "relation": ("dcterms:relation", "@id"),
}
"""Members with values of one type: their property and that type."""
_MEDIA_TYPE = {
    "@id": "dcat:mediaType",
    "@type": "@id",
    "@context": {"@base": "https://www.iana.org/assignments/media-types/"},
}
CONTEXT: Mapping[str, Any] = {
    "@version": 1.1,
    **_NAMESPACES,
    **{
        term: f"{prefix}:{term}"
        for prefix, terms in _PLAIN_TERMS.items()
        for term in terms.split(" ")
    },
    **{term: {"@id": id_, "@type": type_} for term, (id_, type_) in _TYPED_TERMS.items()},
    "mediaType": _MEDIA_TYPE,
}
"""The JSON-LD context of the catalog."""


def dcat_us_3_catalog(
    archive: Archive,
    publisher: Publisher,
    exports: Iterable[tuple[Export, FileDigest]],
    connection: sqlite3.Connection,
) -> bytes:
    """The catalog as JSON-LD, with every given export as a distribution."""
    metadata, origin = archive.metadata, publisher.origin
    dataset = _dataset(archive, publisher, connection)
    distributions = [_distribution(archive, origin, *export) for export in exports]
    document = {
        "@context": CONTEXT,
        "@id": f"{origin}{CATALOG_3.path}",
        "@type": "dcat:Catalog",
        "conformsTo": {
            "@id": _STANDARD,
            "@type": "dcterms:Standard",
            "title": "DCAT-US 3.0",
            "identifier": _STANDARD,
        },
        "title": metadata["title"],
        "description": metadata["description"],
        "language": ["en"],
        "modified": metadata["modified"],
        "homepage": _page(f"{origin}/", metadata["title"]),
        "publisher": _organization(publisher),
        "dataset": [dataset | {"distribution": distributions}],
        "service": [_service(archive, publisher, dataset)],
    }
    return encode_json(document)


def _dataset(archive: Archive, publisher: Publisher, connection: sqlite3.Connection) -> Json:
    """The dataset without its distributions."""
    metadata, origin = archive.metadata, publisher.origin
    bounds = outline_bounds(connection)
    optional = {
        "spatial": bounds and [_location(bounds)],
        "temporal": _periods(connection),
        "relation": source_urls(connection),
    }
    return {
        "@id": publisher.dataset,
        "@type": "dcat:Dataset",
        "identifier": publisher.dataset,
        "title": metadata["title"],
        "description": metadata["description"],
        "keyword": metadata["keywords"],
        "version": archive.label,
        "modified": metadata["modified"],
        "publisher": _organization(publisher),
        "creator": {"@type": "foaf:Organization", "name": author_name(metadata)},
        "contactPoint": [_contact(publisher)],
        "accessRights": _ACCESS,
        "rights": _rights(metadata),
        "provenance": [metadata["archive_notice"]],
        "language": ["en"],
        "landingPage": _page(f"{origin}/", metadata["title"]),
        "page": [_page(f"{origin}/docs", "API guide")],
        "describedBy": {
            "@type": "dcat:Distribution",
            "title": "OpenAPI document",
            "downloadURL": f"{origin}/openapi.json",
            "mediaType": "application/json",
        },
        **{name: value for name, value in optional.items() if value},
    }


def _distribution(archive: Archive, origin: str, export: Export, digest: FileDigest) -> Json:
    metadata = archive.metadata
    url = f"{origin}{export.path}"
    standards = [export.conforms_to] if export.conforms_to else []
    optional = {
        "conformsTo": [
            {"@id": standard, "@type": "dcterms:Standard", "identifier": standard}
            for standard in standards
        ]
    }
    return {
        "@id": distribution_id(export, origin),
        "@type": "dcat:Distribution",
        "title": export.title,
        "description": export.description,
        "format": export.format,
        "mediaType": export.bare_media_type,
        "accessURL": url,
        "downloadURL": url,
        "modified": metadata["modified"],
        "license": metadata["license"]["url"],
        "rights": _rights(metadata),
        "byteSize": str(digest.bytes),
        "checksum": {
            "@type": "spdx:Checksum",
            "algorithm": _SHA_256,
            "checksumValue": digest.sha256,
        },
        **{name: value for name, value in optional.items() if value},
    }


def _service(archive: Archive, publisher: Publisher, dataset: Json) -> Json:
    """The API. Of the dataset that it serves, the schema requires more than a reference."""
    metadata, origin = archive.metadata, publisher.origin
    required = ("@id", "@type", "identifier", "title", "description", "contactPoint")
    return {
        "@id": f"{origin}/v1",
        "@type": "dcat:DataService",
        "title": f"API of the {metadata['title']}",
        "description": "Read-only JSON API of the record, without authentication.",
        "endpointURL": [f"{origin}/v1"],
        "endpointDescription": [f"{origin}/openapi.json"],
        "servesDataset": [{name: dataset[name] for name in required}],
        "publisher": _organization(publisher),
        "contactPoint": [_contact(publisher)],
        "license": metadata["license"]["url"],
        "rights": _rights(metadata),
        "accessRights": _ACCESS,
        "language": ["en"],
    }


def _rights(metadata: Mapping[str, Any]) -> list[str]:
    """Every license in words, and its address."""
    return [f"{terms['title']}: {terms['url']}" for terms in licenses(metadata)]


def _organization(publisher: Publisher) -> Json:
    id_ = f"{publisher.origin}{CATALOG_3.path}#publisher"
    return {"@id": id_, "@type": "org:Organization", "name": publisher.name}


def _contact(publisher: Publisher) -> Json:
    return {
        "@id": f"{publisher.origin}{CATALOG_3.path}#contact",
        "@type": "vcard:Kind",
        "fn": publisher.contact_name,
        "hasEmail": f"mailto:{publisher.contact_email}",
    }


def _page(url: str, title: str) -> Json:
    return {"@id": url, "@type": "foaf:Document", "title": title, "accessURL": url}


def _location(bounds: Box) -> Json:
    """The extent as GeoJSON text, as harvesters read it."""
    box = geometry_of(box_polygons(bounds))
    return {"@type": "dcterms:Location", "bbox": encode_json(box).decode()}


def _periods(connection: sqlite3.Connection) -> list[Json]:
    """The time from the first signature to the last end, as precise as the source."""
    period = temporal_period(connection)
    if period is None:
        return []
    start, end = period
    return [{"@type": "dcterms:PeriodOfTime", "startDate": start, "endDate": end}]
