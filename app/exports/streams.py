"""Whole collections as streams, read in batches so that slow clients hold no statement open."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import TypeVar

from app.archive.archive import COLLECTIONS, LISTS, Archive
from app.archive.versions import MAX_ID, read_release_meta, select_documents
from app.exports.terms import licenses
from app.models import Document
from app.models.base import Model
from app.models.outline import Box, union_box
from app.query.changes import ChangesQuery, find_change_rows
from app.query.cursors import Position
from app.query.query import Query
from app.query.selection import ResultPage, Rows, find_rows, row_position
from app.responses.formats import CSV, GEOJSON, Format
from app.responses.representations import (
    Fields,
    csv_header,
    csv_lines,
    encode_json,
    geojson_feature,
    ndjson_lines,
    select_fields,
)

T = TypeVar("T")
DatabaseQuery = Callable[[sqlite3.Connection], T]

RowCallback = Callable[[int], None]
"""Called with the number of rows written since the last call."""

_BATCH_ROWS = 500


def ignore_rows(_rows: int) -> None:
    """A `RowCallback` for callers that report no progress."""


async def read_batches(
    archive: Archive, query: Query, after: Position | None
) -> AsyncIterator[Rows]:
    """All rows of a query, in its order; with `after`, those that follow this position."""
    complete = False
    while not complete:
        rows, after = await archive.run_in_thread(partial(read_batch, archive, query, after))
        if rows:
            yield rows
        complete = after is None


def read_batch(
    archive: Archive, query: Query, after: Position | None, connection: sqlite3.Connection
) -> tuple[Rows, Position | None]:
    """The next rows and the position of the last one; None if no more follow."""
    rows = find_rows(archive, query, after, _BATCH_ROWS, connection)
    if len(rows) < _BATCH_ROWS:
        return rows, None
    return rows, row_position(query, rows[-1][0].decode(), connection)


async def read_changes(archive: Archive, query: ChangesQuery, after: bytes) -> AsyncIterator[Rows]:
    """All changes of a query after a sort key, with theirs, in order."""
    while rows := await archive.run_in_thread(partial(find_change_rows, query, after, _BATCH_ROWS)):
        yield rows
        after = rows[-1][0]


async def single_batch(page: ResultPage) -> AsyncIterator[Rows]:
    """The rows of a page as the only batch."""
    if page.documents:
        ids = (item_id.encode() for item_id in page.ids)
        yield list(zip(ids, page.documents, strict=True))


async def stream_collection(
    archive: Archive, query: Query, batches: AsyncIterator[Rows], format_: Format
) -> AsyncIterator[bytes]:
    """Body of a collection in a format other than JSON, in chunks."""
    if format_ == GEOJSON:
        async for chunk in _feature_collection(archive, query.fields, batches):
            yield chunk
        return
    model = LISTS[query.collection]
    async for chunk in stream_rows(model, batches, format_, query.fields):
        yield chunk


async def stream_rows(
    model: type[Model],
    batches: AsyncIterator[Rows],
    format_: Format,
    fields: Fields = frozenset(),
) -> AsyncIterator[bytes]:
    """Rows as CSV or NDJSON, in chunks."""
    yield render_header(model, format_, fields)
    async for rows in batches:
        yield render_rows(model, rows, format_, fields)


def render_header(model: type[Model], format_: Format, fields: Fields) -> bytes:
    """What precedes the rows as CSV or as NDJSON."""
    return csv_header(model, fields) if format_ == CSV else b""


def render_rows(model: type[Model], rows: Rows, format_: Format, fields: Fields) -> bytes:
    """Rows as CSV, without the header, or as NDJSON."""
    documents = (document for _, document in rows)
    if format_ == CSV:
        return csv_lines(model, documents, fields)
    return ndjson_lines(select_fields(document, fields) for document in documents)


async def stream_record(
    archive: Archive, label: str, path: str, on_rows: RowCallback = ignore_rows
) -> AsyncIterator[bytes]:
    """Body of the whole record of a release: one list per collection, each sorted by id.

    Args:
        archive: The archive.
        label: Label of the release.
        path: Path of the response, for its link.
        on_rows: Called with the number of rows written since the last call.
    """
    position = archive.position_of(label)
    opening = b'{"data":{'
    for collection, model in COLLECTIONS.items():
        yield b"%b%b:[" % (opening, encode_json(collection))
        separator, first_id = b"", ""
        while rows := await archive.run_in_thread(_documents_from(position, model, first_id)):
            yield separator + b",".join(document for _, document in rows)
            on_rows(len(rows))
            separator, first_id = b",", f"{rows[-1][0].decode()}\0"
        opening = b"],"
    meta = await archive.run_in_thread(partial(read_release_meta, position=position))
    yield b"]},%b" % encode_json({"meta": meta, "links": {"self": path}})[1:]


def _documents_from(position: int, model: type[Document], first_id: str) -> DatabaseQuery[Rows]:
    """Query for the next documents of a release, from an id on."""
    return lambda connection: select_documents(
        connection, position, model, (first_id, MAX_ID), _BATCH_ROWS
    )


async def _feature_collection(
    archive: Archive, fields: Fields, batches: AsyncIterator[Rows]
) -> AsyncIterator[bytes]:
    """A GeoJSON feature collection (RFC 7946, 3.3) with release, licenses and that of outlines."""
    members = {
        "type": "FeatureCollection",
        "release": archive.release,
        "release_label": archive.label,
        "created": archive.metadata["modified"],
        "licenses": licenses(archive.metadata),
        "attribution": archive.metadata["outlines"],
    }
    opening = encode_json(members)[:-1] + b',"features":['
    boxes: list[Box] = []
    async for rows in batches:
        outlines = await archive.run_in_thread(_outlines([item_id.decode() for item_id, _ in rows]))
        boxes += (json.loads(bbox) for bbox, _ in outlines.values())
        features = (
            geojson_feature(select_fields(document, fields), outlines.get(item_id))
            for item_id, document in rows
        )
        yield opening + b",".join(features)
        opening = b","
    if opening != b",":
        yield opening
    yield b"]%b}" % (b',"bbox":' + encode_json(union_box(boxes)) if boxes else b"")


def _outlines(region_ids: Sequence[str]) -> DatabaseQuery[dict[bytes, tuple[bytes, bytes]]]:
    """Query for the bounding box and the geometry of each region, as JSON."""
    statement = (
        "SELECT region, bbox, geometry FROM outlines "
        "WHERE region IN (SELECT value FROM json_each(?))"
    )

    def read(connection: sqlite3.Connection) -> dict[bytes, tuple[bytes, bytes]]:
        rows = connection.execute(statement, (json.dumps(region_ids),))
        return {region: (bbox, geometry) for region, bbox, geometry in rows}

    return read
