"""The history of the record: what each release had, stored once for as long as it stood.

The collections have the present documents. The table `versions` has a row for each document that
was changed or removed since, and for each present one that has not stood since the first release.
So the archive grows with what changes only, however many releases there are.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.archive.archive import COLLECTIONS, decoded
from app.archive.changes import Documents
from app.models import RESOURCE_BY_TYPE, Citation, Document, Resource
from app.models.citation import citation_rows
from app.models.document import Key
from app.models.header import SEED_ONLY_FIELDS, Metadata
from app.models.release import Release, ReleaseLinks, Retirement
from app.responses.representations import encode_json

if TYPE_CHECKING:
    from app.seed.record import SeedStream
    from app.seed.releases import FiledRelease, ReleaseFacts

RECORD_KEY = ("record", "record")
"""Type and id of the record's metadata."""
MAX_ID = "\U0010ffff"
"""No id is later in the order."""
ALL_IDS = ("", MAX_ID)
"""The range of all ids."""


def documents_of_release(connection: sqlite3.Connection, position: int) -> Documents:
    """Every document of a release, and the record's metadata.

    Args:
        connection: Connection to an archive.
        position: Position of the release, from 1.
    """
    documents = {RECORD_KEY: _metadata_at(connection, position)}
    for model in COLLECTIONS.values():
        for id_, document in select_documents(connection, position, model):
            documents[model.type, decoded(id_)] = _without_links(document)
    return documents


def changed_documents(connection: sqlite3.Connection, position: int) -> tuple[Documents, Documents]:
    """What a release changed: documents of the release before it, and of the release itself.

    Resources that are the same in both are left out, unless their citations differ. Of a resource,
    all citations are there. So the differences are those between all documents of both releases.

    Args:
        connection: Connection to an archive.
        position: Position of the release, from 2.
    """
    keys = sorted(_changed_resources(connection, position))
    return (
        _documents_of(connection, position - 1, keys),
        _documents_of(connection, position, keys),
    )


def select_documents(
    connection: sqlite3.Connection,
    position: int,
    model: type[Document],
    ids: tuple[str, str] = ALL_IDS,
    limit: int = -1,
) -> list[tuple[Any, Any]]:
    """Ids and documents of a release within a range of ids, sorted by id; as stored, with links.

    Args:
        connection: Connection to an archive.
        position: Position of the release, from 1.
        model: Class of the documents.
        ids: First and last id of the range.
        limit: Maximum number of documents; -1 for all.
    """
    first_id, last_id = ids
    parameters = {
        "type": model.type,
        "position": position,
        "first_id": first_id,
        "last_id": last_id,
        "limit": limit,
    }
    return connection.execute(_select_statement(model.collection), parameters).fetchall()


@cache
def _select_statement(collection: str) -> str:
    """SQL that selects documents of a release: present ones that stood then, and former ones."""
    return (
        f"SELECT id, document FROM {collection} WHERE id BETWEEN :first_id AND :last_id "  # noqa: S608 - a name from COLLECTIONS
        "AND NOT EXISTS (SELECT 1 FROM versions WHERE versions.type = :type "
        f"AND versions.id = {collection}.id AND first > :position AND last IS NULL) "
        "UNION ALL SELECT id, document FROM versions WHERE type = :type "
        "AND id BETWEEN :first_id AND :last_id AND first <= :position AND last >= :position "
        "ORDER BY id LIMIT :limit"
    )


def read_release_meta(connection: sqlite3.Connection, position: int) -> dict[str, Any]:
    """What identifies and describes a release as a whole: label, metadata, counts."""
    row = connection.execute(
        "SELECT document, metadata_document FROM releases WHERE position = ?", (position,)
    ).fetchone()
    release, metadata = json.loads(row[0]), json.loads(row[1])
    return {
        "release": release["digest"],
        "release_label": release["label"],
        "release_date": release["date"],
        "release_note": release["note"],
        **metadata,
        "counts": release["counts"],
    }


def write_versions(
    connection: sqlite3.Connection, stream: SeedStream, filed: Sequence[Path]
) -> list[ReleaseFacts]:
    """Write the releases, the versions of all documents that they had, and the retired ids.

    The filed releases are read from the newest to the oldest. An entry that is the same as in the
    release after is not looked at; of another one, each document is compared.

    Args:
        connection: Connection to an archive that has the present documents and their indexes.
        stream: The seed, after its iteration.
        filed: Files of all releases, the oldest first.

    Returns:
        What identifies each release, the oldest first; the last one is that of the seed.

    Raises:
        SeedError: A filed release cannot be read, was changed or is missing; or the seed uses the
            id of a retired resource again, or lacks one without listing it.
    """
    from app.seed.releases import (  # noqa: PLC0415 - not for serving
        FiledRelease,
        ensure_chained,
        present_release,
    )

    present, earlier = present_release(stream, filed)
    releases, following = [present], stream.entry_digests
    retired: dict[Key, str] = {}
    for position in range(len(earlier), 0, -1):
        release = FiledRelease(earlier[position - 1])
        following = _write_differences(connection, release, position, following)
        releases.insert(0, release.facts)
        retired |= dict.fromkeys(release.retired, release.facts.label)
    if filed:
        ensure_chained(stream.file.path, releases)
    removed = _removed(connection, releases)
    stream.check_retired(removed, retired)
    _write_retired(connection, stream.metadata.retired, removed)
    for position in range(1, len(releases) + 1):
        _write_release(connection, releases, position)
    return releases


def _write_differences(
    connection: sqlite3.Connection,
    release: FiledRelease,
    position: int,
    following: Mapping[Key, bytes],
) -> dict[Key, bytes]:
    """Write how a release differs from the one after it; returns the digests of its entries."""
    digests: dict[Key, bytes] = {}
    for entry in release:
        if (key := entry.key) is not None:
            digests[key] = entry.digest
            if following.get(key) != entry.digest:
                former = _render(release.resource(entry))
                _write_versions_of(connection, position, key, former)
    for key in sorted(following.keys() - digests.keys()):
        _write_versions_of(connection, position, key, {})
    return digests


def _write_versions_of(
    connection: sqlite3.Connection, position: int, resource: Key, former: Mapping[Key, str]
) -> None:
    """Write how the documents of a resource differ in a release from those in the one after.

    A version begins in the first release until an older one differs. So each row is written with
    that, and corrected when its beginning is found.
    """
    later = _documents_of_resource(connection, position + 1, resource)
    begun = [key for key, document in later.items() if former.get(key) != document]
    for key in begun:
        if not connection.execute(_BEGIN_FORMER, (position + 1, *key)).rowcount:
            connection.execute(_BEGIN_PRESENT, (*key, position + 1))
    ended = (key for key, document in former.items() if later.get(key) != document)
    connection.executemany(_END, ((*key, position, former[key]) for key in ended))


_BEGIN_FORMER = "UPDATE versions SET first = ? WHERE type = ? AND id = ? AND first = 1"
_BEGIN_PRESENT = "INSERT INTO versions VALUES (?, ?, ?, NULL, NULL)"
_END = "INSERT INTO versions VALUES (?, ?, 1, ?, ?)"


def _render(resource: Resource) -> dict[Key, str]:
    """The documents of a resource: its own and its citations."""
    documents = {(resource.type, resource.id): resource.model_dump_json()}
    for row in citation_rows(resource):
        documents[Citation.type, str(row[0])] = str(row[-1])
    return documents


def _documents_of_resource(
    connection: sqlite3.Connection, position: int, resource: Key
) -> dict[Key, Any]:
    """The documents of a resource in a release, as stored: its own, if any, and its citations."""
    type_, id_ = resource
    model, prefix = RESOURCE_BY_TYPE[type_], f"{type_}.{id_}."
    own = select_documents(connection, position, model, (id_, id_))
    citations = select_documents(connection, position, Citation, (prefix, prefix + MAX_ID))
    return {
        (model.type, decoded(key)): document
        for model, rows in ((model, own), (Citation, citations))
        for key, document in rows
    }


def _documents_of(
    connection: sqlite3.Connection, position: int, resources: Sequence[Key]
) -> Documents:
    """The documents of some resources in a release, and the record's metadata."""
    documents = {RECORD_KEY: _metadata_at(connection, position)}
    for resource in resources:
        for key, document in _documents_of_resource(connection, position, resource).items():
            documents[key] = _without_links(document)
    return documents


def _changed_resources(connection: sqlite3.Connection, position: int) -> set[Key]:
    """Resources that a release changed, or of which it changed a citation."""
    rows = connection.execute(
        "SELECT type, id FROM versions WHERE first = ? OR last = ?", (position, position - 1)
    )
    return {_resource_of((decoded(type_), decoded(id_))) for type_, id_ in rows}


def _resource_of(key: Key) -> Key:
    """The resource of a document; that of a citation is named in its id."""
    if key[0] != Citation.type:
        return key
    type_, id_, _ = key[1].split(".", 2)
    return type_, id_


def _removed(connection: sqlite3.Connection, releases: Sequence[ReleaseFacts]) -> dict[Key, str]:
    """Ids that earlier releases had, each with the label of the release that removed it."""
    removed: dict[Key, str] = {}
    for model in COLLECTIONS.values():
        rows = connection.execute(
            "SELECT id, max(last) FROM versions WHERE type = ? AND last IS NOT NULL AND NOT EXISTS "  # noqa: S608 - a name from COLLECTIONS
            f"(SELECT 1 FROM {model.collection} WHERE {model.collection}.id = versions.id) "
            "GROUP BY id",
            (model.type,),
        )
        for id_, last in rows:
            removed[model.type, id_] = releases[last].label
    return removed


def _write_retired(
    connection: sqlite3.Connection,
    retirements: Sequence[Retirement],
    removed: Mapping[Key, str],
) -> None:
    """Write a row for each removed id, with the reason in the seed."""
    listed: dict[Key, Retirement] = {
        (retirement.type, retirement.id): retirement for retirement in retirements
    }
    for key, label in removed.items():
        retirement = listed.get(_resource_of(key))
        reason = retirement.reason if retirement else None
        successors = retirement.replaced_by if retirement and key in listed else None
        replaced_by = encode_json(successors).decode() if successors else None
        connection.execute(
            "INSERT INTO retired VALUES (?, ?, ?, ?, ?)", (*key, label, reason, replaced_by)
        )


def _write_release(
    connection: sqlite3.Connection, releases: Sequence[ReleaseFacts], position: int
) -> None:
    """Write the row of a release."""
    facts = releases[position - 1]
    path = f"/v1/releases/{facts.label}"
    changes = None
    if position > 1:
        changes = f"/v1/changes?since={releases[position - 2].label}&until={facts.label}"
    release = Release(
        id=facts.label,
        label=facts.label,
        position=position,
        date=facts.date,
        digest=facts.digest,
        note=facts.note,
        draft=facts.is_draft,
        counts=_counts_at(connection, position),
        links=ReleaseLinks(self=path, record=f"{path}/record", changes=changes),
    )
    metadata = encode_json(record_metadata(facts.metadata)).decode()
    row = (
        release.id,
        position,
        release.date,
        release.digest,
        release.note,
        release.draft,
        metadata,
        release.model_dump_json(),
    )
    connection.execute("INSERT INTO releases VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def record_metadata(metadata: Metadata) -> dict[str, Any]:
    """The metadata of the record as JSON, without what is about the seed as a file."""
    return metadata.model_dump(mode="json", exclude=set(SEED_ONLY_FIELDS))


def _counts_at(connection: sqlite3.Connection, position: int) -> dict[str, int]:
    """Number of items of each collection in a release, from what differs from the present one."""
    differences = dict(
        connection.execute(
            "SELECT type, count(*) FILTER (WHERE first <= :position AND last >= :position) "
            "- count(*) FILTER (WHERE first > :position AND last IS NULL) "
            "FROM versions GROUP BY type",
            {"position": position},
        ).fetchall()
    )
    return {
        name: count_rows(connection, name) + differences.get(model.type, 0)
        for name, model in COLLECTIONS.items()
    }


def count_rows(connection: sqlite3.Connection, table: str) -> int:
    """Number of rows of a table."""
    statement = f"SELECT count(*) FROM {table}"  # noqa: S608 - a name from LISTS
    count: int = connection.execute(statement).fetchone()[0]
    return count


def _metadata_at(connection: sqlite3.Connection, position: int) -> dict[str, Any]:
    row = connection.execute(
        "SELECT metadata_document FROM releases WHERE position = ?", (position,)
    ).fetchone()
    metadata: dict[str, Any] = json.loads(row[0])
    return metadata


def _without_links(document: str | bytes) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(document)
    del fields["links"]
    return fields
