"""Writes what each release changed to the archive."""

from __future__ import annotations

import sqlite3

from app.archive.changes import Change, diff
from app.archive.versions import changed_documents
from app.models.change import MAX_POSITION, NO_POSITION, change_key
from app.responses.representations import encode_json

_INSERT = f"""
INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, {NO_POSITION}, {MAX_POSITION}, {NO_POSITION})
"""  # noqa: S608 - constants
_LINK_STEPS = f"""
UPDATE changes SET previous = steps.previous, next = steps.next, changed_in = steps.changed_in
FROM (
    SELECT key, release,
        lag(release, 1, {NO_POSITION}) OVER step AS previous,
        lead(release, 1, {MAX_POSITION}) OVER step AS next,
        ifnull(max(release) FILTER (WHERE before IS NOT after) OVER step, {NO_POSITION})
            AS changed_in
    FROM changes
    WINDOW step AS (PARTITION BY key ORDER BY release)
) AS steps
WHERE changes.key = steps.key AND changes.release = steps.release
"""  # noqa: S608 - constants
_INDEXES = (
    "CREATE INDEX changes_release ON changes (release, key)",
    "CREATE INDEX changes_filter_resource ON changes (resource, key)",
)


def write_changes(connection: sqlite3.Connection) -> None:
    """Fill the `changes` table of an archive that has all releases and their documents."""
    last = connection.execute("SELECT max(position) FROM releases").fetchone()[0]
    for position in range(2, last + 1):
        changes = diff(*changed_documents(connection, position))
        connection.executemany(_INSERT, (_row(change, position) for change in changes))
    connection.execute(_LINK_STEPS)
    for statement in _INDEXES:
        connection.execute(statement)


def _row(change: Change, position: int) -> tuple[str | int | None, ...]:
    return (
        change_key(change.type, change.id, change.field),
        position,
        change.type,
        change.id,
        change.field,
        change.before.decode() if change.before else None,
        change.after.decode() if change.after else None,
        encode_json(change.citations_before).decode(),
        encode_json(change.citations_after).decode(),
    )
