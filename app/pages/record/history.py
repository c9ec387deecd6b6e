"""Reads what the page of the history shows: the changes of each release, with their sources."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from app.archive.archive import decoded
from app.models import RESOURCE_BY_TYPE
from app.pages.record.differences import mark_differences
from app.pages.record.documents import DocumentReader, Json
from app.pages.record.values import value_in_words
from app.pages.record.words import shorten
from app.query.removals import find_removal

_MAX_RELEASES = 20
_MAX_VALUES = 200
"""Changed values on the whole page."""
_MAX_CITATIONS = 3
"""Citations of a value on each side."""
_MAX_CHARACTERS = 1_000
"""Characters of a value on each side."""

_RELEASES = f"SELECT document FROM releases ORDER BY position DESC LIMIT {_MAX_RELEASES}"  # noqa: S608 - a constant
_CHANGES = """
SELECT type, resource, field, before, after, citations_before, citations_after FROM changes
WHERE release = ? AND type <> 'citation' ORDER BY key LIMIT ?
"""
_CITATION_CHANGES = """
SELECT CASE WHEN before IS NULL THEN 'added' WHEN after IS NULL THEN 'removed' ELSE 'changed' END,
    count(*)
FROM changes WHERE release = ? AND type = 'citation' GROUP BY 1
"""
_CITATIONS = """
SELECT value, ifnull(versions.document, citations.document), citations.id IS NOT NULL
FROM json_each(:ids)
LEFT JOIN citations ON citations.id = value
LEFT JOIN versions ON versions.type = 'citation' AND versions.id = value
    AND first <= :position AND last >= :position
"""
"""Selects citations as they were in a release, and whether the present one has them."""
_LAST_VERSION = """
SELECT document FROM versions WHERE type = ? AND id = ? ORDER BY first DESC LIMIT 1
"""
"""Selects a resource that was removed."""


@dataclass(frozen=True, slots=True)
class Side:
    """A value before or after a release.

    Attributes:
        text: The value in words, with what the other side lacks marked; None without a value.
        citations: The first citations of the value.
        more: Number of further citations.
    """

    text: Markup | None
    citations: Sequence[Json]
    more: int


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A value that a release changed, or whose citations it changed.

    Attributes:
        field: Name of the field.
        before: The old value.
        after: The new value.
        is_same: Whether only its citations changed.
        has_same_citations: Whether only the value changed.
    """

    field: str
    before: Side
    after: Side
    is_same: bool
    has_same_citations: bool


@dataclass(frozen=True, slots=True)
class ResourceChanges:
    """What a release changed in a resource.

    Attributes:
        type: Its type; `record` for the metadata of the record.
        name: Its name or title.
        path: API path; None if it was removed since.
        kind: What happened to the resource itself: `added`, `changed` or `removed`.
        values: The values that changed.
        reason: Why it was removed; None if it was not.
        successors: Name and path of each resource that replaced it.
    """

    type: str
    name: str
    path: str | None
    kind: str
    values: Sequence[ValueChange]
    reason: str | None = None
    successors: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class ReleaseChanges:
    """A release and what it changed.

    Attributes:
        release: The release.
        resources: The resources that it changed, as far as the page shows them.
        is_complete: Whether all of them are shown.
        citations: Number of citations that were added, changed and removed.
    """

    release: Json
    resources: Sequence[ResourceChanges]
    is_complete: bool
    citations: Mapping[str, int]


class _Row(NamedTuple):
    """A row of the `changes` table; values are JSON."""

    type: str
    resource: str
    field: str
    before: str | None
    after: str | None
    citations_before: str
    citations_after: str


def read_history(reader: DocumentReader) -> list[ReleaseChanges]:
    """The newest releases, the newest first, with what each changed as far as there is room."""
    history: list[ReleaseChanges] = []
    room = _MAX_VALUES
    for (document,) in reader.connection.execute(_RELEASES).fetchall():
        history.append(_read_changes(reader, json.loads(document), room))
        room -= sum(len(resource.values) for resource in history[-1].resources)
    return history


def _read_changes(reader: DocumentReader, release: Json, room: int) -> ReleaseChanges:
    """A release and the first values that it changed."""
    connection, position = reader.connection, release["position"]
    rows = [_Row(*map(decoded, row)) for row in connection.execute(_CHANGES, (position, room + 1))]
    shown = rows[:room]
    citations = (
        _read_citations(connection, [row.citations_before for row in shown], position - 1),
        _read_citations(connection, [row.citations_after for row in shown], position),
    )
    resources = [
        _resource_changes(reader, list(group), citations)
        for _, group in groupby(shown, lambda row: (row.type, row.resource))
    ]
    counts = {kind.decode(): n for kind, n in connection.execute(_CITATION_CHANGES, (position,))}
    return ReleaseChanges(release, resources, len(shown) == len(rows), counts)


def _read_citations(
    connection: sqlite3.Connection, id_lists: Iterable[str], position: int
) -> dict[str, Json]:
    """Citations by id, as they were in a release, each with whether the present one has it.

    Args:
        connection: Connection to the archive.
        id_lists: JSON arrays of ids.
        position: Position of the release.
    """
    ids = sorted({id_ for id_list in id_lists for id_ in json.loads(id_list)[:_MAX_CITATIONS]})
    rows = connection.execute(_CITATIONS, {"ids": json.dumps(ids), "position": position})
    return {
        id_.decode(): {**json.loads(document), "is_present": bool(is_present)}
        for id_, document, is_present in rows
    }


def _resource_changes(
    reader: DocumentReader, rows: Sequence[_Row], citations: Sequence[Mapping[str, Json]]
) -> ResourceChanges:
    type_, id_ = rows[0].type, rows[0].resource
    kind = "changed"
    for row in rows:
        if row.field == "id":
            kind = "added" if row.before is None else "removed"
    values = {row.field: _value_change(reader, row, citations) for row in rows if row.field != "id"}
    if type_ == "record":
        return ResourceChanges(type_, "The record as a whole", "/v1/meta", kind, [*values.values()])
    model = RESOURCE_BY_TYPE[type_]
    in_order = [values.pop(name) for name in model.document_fields() if name in values]
    document = reader.find(model.collection, id_)
    path = None if document is None else str(document["links"]["self"])
    if document is None:
        version = reader.connection.execute(_LAST_VERSION, (type_, id_)).fetchone()
        document = json.loads(version[0])
    changes = ResourceChanges(
        type_, reader.label(document), path, kind, [*in_order, *values.values()]
    )
    removal = find_removal(reader.connection, type_, id_) if kind == "removed" else None
    if removal is None:
        return changes
    successors = [(_name_of(reader, *path.split("/")[2:]), path) for path in removal.successors]
    return replace(changes, reason=removal.reason, successors=successors)


def _name_of(reader: DocumentReader, collection: str, resource_id: str) -> str:
    """Name of a resource; its id if it is not there any more."""
    resource = reader.find(collection, resource_id)
    return resource_id if resource is None else reader.label(resource)


def _value_change(
    reader: DocumentReader, row: _Row, citations: Sequence[Mapping[str, Json]]
) -> ValueChange:
    texts = [_text(reader, row.field, value) for value in (row.before, row.after)]
    cited = [json.loads(row.citations_before), json.loads(row.citations_after)]
    before, after = (
        Side(
            text,
            [by_id[id_] for id_ in ids[:_MAX_CITATIONS]],
            max(len(ids) - _MAX_CITATIONS, 0),
        )
        for text, ids, by_id in zip(mark_differences(*texts), cited, citations, strict=True)
    )
    is_same, has_same_citations = row.before == row.after, cited[0] == cited[1]
    return ValueChange(row.field, before, after, is_same, has_same_citations)


def _text(reader: DocumentReader, field: str, value: str | None) -> str | None:
    """A value in words; None if it is absent or null."""
    parsed = None if value is None else json.loads(value)
    if parsed is None:
        return None
    text = value_in_words(field, parsed, partial(_name_of, reader))
    return shorten(text, _MAX_CHARACTERS)
