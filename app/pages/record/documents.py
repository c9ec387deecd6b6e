"""Reads the documents of the record page from the archive, with their citations."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from app.archive.archive import COLLECTIONS, Archive
from app.query.labels import region_label
from app.query.query import Query
from app.query.selection import find_page
from app.responses.representations import url_with_query

Json = dict[str, Any]

_MAX_CITATIONS_PER_FIELD = 10
_FIRST_CITATIONS = """
SELECT document, total FROM (
    SELECT document, rowid AS citation_rowid,
        row_number() OVER (PARTITION BY resource, field ORDER BY rowid) AS number,
        count(*) OVER (PARTITION BY resource, field) AS total
    FROM citations
    WHERE resource_type = ? AND resource IN (SELECT value FROM json_each(?))
) WHERE number <= ? ORDER BY citation_rowid
"""
"""Selects the first citations of each field of some resources, and how many the field has."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The first items of a list.

    Attributes:
        items: Their documents.
        total: Number of items in the whole list.
        list_path: API path that lists every item.
    """

    items: Sequence[Json]
    total: int
    list_path: str

    def __iter__(self) -> Iterator[Json]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass
class DocumentReader:
    """Reads documents and caches them and their citations.

    Attributes:
        archive: The record.
        connection: Connection of the current thread.
        citations: First citations of every item in an excerpt, by resource path, then by field.
    """

    archive: Archive
    connection: sqlite3.Connection
    citations: dict[str, dict[str, Excerpt]] = field(default_factory=dict)
    _documents: dict[tuple[str, str], Json | None] = field(default_factory=dict)

    def first_items(self, collection: str, limit: int, **filters: str) -> Excerpt:
        """The first items that match the filters, in the collection's default order."""
        values: Json = {name: [value] for name, value in filters.items()}
        query = Query.from_parameters(collection, {**values, "limit": limit})
        page = find_page(self.archive, query, self.connection)
        items = [json.loads(document) for document in page.documents]
        self._cache_with_citations(collection, items)
        path = url_with_query(f"/v1/{collection}", list(filters.items()))
        return Excerpt(items, page.total, path)

    def find(self, collection: str, resource_id: str) -> Json | None:
        """The resource with this id; None if there is none."""
        key = collection, resource_id
        if key not in self._documents:
            row = self.connection.execute(
                f"SELECT document FROM {collection} WHERE id = ?",  # noqa: S608 - a collection's name
                (resource_id,),
            ).fetchone()
            self._documents[key] = json.loads(row[0]) if row else None
        return self._documents[key]

    def label(self, resource: Json) -> str:
        """Short name, name or title; a region's name with its country if it is ambiguous."""
        if "iso_3166_2" in resource:
            return region_label(self.connection, resource)
        return str(resource.get("short_name") or resource.get("name") or resource["title"])

    def count_citations_by_basis(self) -> dict[str, int]:
        """Number of citations of the record, by basis."""
        rows = self.connection.execute("SELECT basis, count(*) FROM citations GROUP BY basis")
        return {basis.decode(): count for basis, count in rows}

    def region_outlines(self, regions: Sequence[Json]) -> dict[str, Json]:
        """GeoJSON geometries by region id; regions without an outline are left out."""
        rows = self.connection.execute(
            "SELECT region, geometry FROM outlines "
            "WHERE region IN (SELECT value FROM json_each(?))",
            (json.dumps([region["id"] for region in regions]),),
        )
        return {region_id.decode(): json.loads(geometry) for region_id, geometry in rows}

    def _cache_with_citations(self, collection: str, items: Sequence[Json]) -> None:
        paths = {item["id"]: item["links"]["self"] for item in items}
        parameters = COLLECTIONS[collection].type, json.dumps(list(paths)), _MAX_CITATIONS_PER_FIELD
        rows = self.connection.execute(_FIRST_CITATIONS, parameters)
        citations = ((json.loads(document), total) for document, total in rows)
        for (resource_id, name), group in groupby(citations, _resource_and_field):
            documents, totals = zip(*group, strict=True)
            by_field = self.citations.setdefault(paths[resource_id], {})
            by_field[name] = Excerpt(documents, totals[0], _citations_path(documents[0]))
        for resource_id, item in zip(paths, items, strict=True):
            self._documents[collection, resource_id] = item


def _resource_and_field(row: tuple[Json, int]) -> tuple[str, str]:
    citation, _ = row
    return citation["resource"], citation["field"]


def _citations_path(citation: Json) -> str:
    """API path that lists all citations of the same field."""
    names = ("resource_type", "resource", "field")
    return url_with_query("/v1/citations", [(name, citation[name]) for name in names])
