"""What the page reads: documents as the API serves them, some of each collection."""

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
        total: How many there are in all.
        all: The request that lists them all, as a path.
    """

    items: Sequence[Json]
    total: int
    all: str

    def __iter__(self) -> Iterator[Json]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass
class DocumentReader:
    """Reads documents, and with them the citations that they rest on.

    Attributes:
        archive: The record.
        connection: Where it is read on this thread.
        cited: Citations by the path of their resource and by field, of all that was listed.
    """

    archive: Archive
    connection: sqlite3.Connection
    cited: dict[str, dict[str, list[Json]]] = field(default_factory=dict)
    _known: dict[tuple[str, str], Json | None] = field(default_factory=dict)

    def some(self, collection: str, limit: int, **conditions: str) -> Excerpt:
        """The first items under filters, in the collection's own order."""
        values: Json = {name: [value] for name, value in conditions.items()}
        query = Query.from_parameters(collection, {**values, "limit": limit})
        page = find_page(self.archive, query, self.connection)
        items = [json.loads(document) for document in page.documents]
        self._cite(collection, items)
        return Excerpt(
            items, page.total, url_with_query(f"/v1/{collection}", list(conditions.items()))
        )

    def one(self, collection: str, name: str) -> Json | None:
        """One resource by its id."""
        if (collection, name) not in self._known:
            row = self.connection.execute(
                f"SELECT document FROM {collection} WHERE id = ?",  # noqa: S608 - a collection's name
                (name,),
            ).fetchone()
            self._known[collection, name] = json.loads(row[0]) if row else None
        return self._known[collection, name]

    def bases(self) -> dict[str, int]:
        """Number of citations of each basis."""
        rows = self.connection.execute("SELECT basis, count(*) FROM citations GROUP BY basis")
        return {basis.decode(): number for basis, number in rows}

    def outlines(self, regions: Sequence[Json]) -> dict[str, Json]:
        """The outlines of regions that have one, as GeoJSON geometries, by region."""
        rows = self.connection.execute(
            "SELECT region, geometry FROM outlines "
            "WHERE region IN (SELECT value FROM json_each(?))",
            (json.dumps([one["id"] for one in regions]),),
        )
        return {name.decode(): json.loads(geometry) for name, geometry in rows}

    def _cite(self, collection: str, items: Sequence[Json]) -> None:
        paths = {one["id"]: one["links"]["self"] for one in items}
        found = find_included(collection, list(paths), ["citations"], self.connection)
        for citation in map(json.loads, found["citations"]):
            fields = self.cited.setdefault(paths[citation["resource"]], {})
            fields.setdefault(citation["field"], []).append(citation)
        for name, item in zip(paths, items, strict=True):
            self._known[collection, name] = item
