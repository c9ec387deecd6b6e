"""Reads the documents of the record page from the archive, with their citations."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.archive.archive import Archive
from app.query.query import Query
from app.query.selection import find_included, find_page
from app.responses.representations import url_with_query

Json = dict[str, Any]


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
        citations: Citations of every item in an excerpt, by resource path, then by field.
    """

    archive: Archive
    connection: sqlite3.Connection
    citations: dict[str, dict[str, list[Json]]] = field(default_factory=dict)
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
        included = find_included(collection, list(paths), ["citations"], self.connection)
        for citation in map(json.loads, included["citations"]):
            by_field = self.citations.setdefault(paths[citation["resource"]], {})
            by_field.setdefault(citation["field"], []).append(citation)
        for resource_id, item in zip(paths, items, strict=True):
            self._documents[collection, resource_id] = item
