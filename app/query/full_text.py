"""Full-text search over all resource types, best match first."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.archive.archive import Archive
from app.models import RESOURCE_BY_TYPE
from app.query.cursors import decode_cursor, encode_cursor, invalid_cursor
from app.query.parameters import ChoiceType, Parameter, ParameterValues
from app.query.query import (
    DEFAULT_LIMIT,
    cursor_parameter,
    limit_parameter,
    match_expression,
    q_parameter,
)
from app.query.snippets import snippet
from app.responses.representations import encode_json

MAX_RANKED = 5_000
"""Maximum number of matches that are ranked by BM25; more are sorted by whether titles match."""

_KEY_STRUCT = struct.Struct(">dq")


@cache
def search_parameters() -> Mapping[str, Parameter]:
    """The query parameters of search, by name."""
    q = q_parameter("Words to search for.")
    types = ChoiceType([*RESOURCE_BY_TYPE])
    description = "Only resources of this type. Repeat the parameter for OR."
    parameters = [
        Parameter(q.name, q.type, q.description, required=True),
        Parameter("type", types, description, repeatable=True),
        limit_parameter(),
        cursor_parameter(),
    ]
    return {parameter.name: parameter for parameter in parameters}


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of search results.

    Attributes:
        hits: The matches as JSON.
        total: Number of matching resources on all pages.
        cursor: Cursor of the next page; None on the last page.
    """

    hits: Sequence[bytes]
    total: int
    cursor: str | None


def find_matches(
    archive: Archive, values: ParameterValues, connection: sqlite3.Connection
) -> SearchPage:
    """The requested page of matching resources, by relevance.

    Relevance is BM25, with titles weighted ten times. If more than `MAX_RANKED` resources match,
    the words distinguish them too little for that: resources with all words in the title come
    first, and each group is in the order of the seed.

    Raises:
        InvalidParameters: The cursor is invalid for this search.
    """
    where, bind_values = _match_condition(archive, values)
    count_statement = f"SELECT count(*) FROM search WHERE {where}"  # noqa: S608 - values are bound
    total = archive.cached_count(connection, count_statement, bind_values)
    ranked = total <= MAX_RANKED
    find_keys = _find_by_rank if ranked else _find_by_title
    after = _start_key(connection, values, where, bind_values, ranked=ranked)
    limit = values.get("limit", DEFAULT_LIMIT)
    keys = find_keys(connection, where, {**bind_values, "limit": limit + 1}, after)
    has_next = len(keys) > limit
    hits = _load_hits(connection, values["q"], [rowid for _, rowid in keys[:limit]])
    cursor = _next_cursor(values, keys[limit - 1], hits[-1]) if has_next else None
    return SearchPage([encode_json(hit) for hit in hits], total, cursor)


Hit = dict[str, Any]
MatchKey = tuple[float, int]
"""Rank and rowid of a match, its sort key; a lower rank is a better match."""


def _find_by_rank(
    connection: sqlite3.Connection, where: str, bind_values: dict[str, Any], after: MatchKey | None
) -> list[MatchKey]:
    """Keys of the matches after a key, sorted by BM25."""
    condition = ""
    if after is not None:
        condition = " AND (rank > :rank OR (rank = :rank AND rowid > :rowid))"
        bind_values = {**bind_values, "rank": after[0], "rowid": after[1]}
    return connection.execute(
        f"SELECT rank, rowid FROM search WHERE {where}{condition} "  # noqa: S608 - values are bound
        "ORDER BY rank, rowid LIMIT :limit",
        bind_values,
    ).fetchall()


def _find_by_title(
    connection: sqlite3.Connection, where: str, bind_values: dict[str, Any], after: MatchKey | None
) -> list[MatchKey]:
    """Keys of the matches after a key: rank 0 if the title has all words, otherwise rank 1."""
    words = bind_values["q"]
    in_title = f"title : ({words})"
    groups = ((0.0, in_title), (1.0, f"({words}) NOT ({in_title})"))
    keys: list[MatchKey] = []
    for rank, expression in groups:
        if after is not None and rank < after[0]:
            continue
        rowid = after[1] if after is not None and rank == after[0] else 0
        limit = bind_values["limit"] - len(keys)
        keys += connection.execute(
            f"SELECT {rank}, rowid FROM search WHERE {where} AND rowid > :rowid "  # noqa: S608 - values are bound
            "ORDER BY rowid LIMIT :limit",
            {**bind_values, "q": expression, "rowid": rowid, "limit": limit},
        ).fetchall()
    return keys


def _match_condition(archive: Archive, values: ParameterValues) -> tuple[str, dict[str, Any]]:
    """SQL condition on the rows of the full-text index, and its bind parameters."""
    bind_values: dict[str, Any] = {"q": match_expression(values["q"])}
    ranges = []
    for number, type_ in enumerate(dict.fromkeys(values.get("type", ()))):
        first, last = archive.rowid_ranges[type_]
        bind_values |= {f"first_{number}": first, f"last_{number}": last}
        ranges.append(f"rowid BETWEEN :first_{number} AND :last_{number}")
    where = "search MATCH :q"
    return (f"{where} AND ({' OR '.join(ranges)})" if ranges else where), bind_values


def _load_hits(connection: sqlite3.Connection, q: str, rowids: list[int]) -> list[Hit]:
    """The matches in the order of `rowids`."""
    rows = connection.execute(
        "SELECT rowid, type, id, heading, text FROM search "
        "WHERE rowid IN (SELECT value FROM json_each(?))",
        (json.dumps(rowids),),
    )
    hits = {rowid: _hit(q, *(column.decode() for column in columns)) for rowid, *columns in rows}
    return [hits[rowid] for rowid in rowids]


def _hit(q: str, type_: str, resource_id: str, title: str, text: str) -> Hit:
    return {
        "type": type_,
        "id": resource_id,
        "title": title,
        "snippet": snippet((text, title), q),
        "links": {"self": f"/v1/{RESOURCE_BY_TYPE[type_].collection}/{resource_id}"},
    }


def _identity(values: ParameterValues) -> list[Any]:
    """All that determines the matches and their order, as JSON types."""
    return ["search", values["q"], sorted(set(values.get("type", ())))]


def _next_cursor(values: ParameterValues, key: MatchKey, hit: Hit) -> str:
    """Cursor of the page after a match: its key, its type and its id."""
    position = _KEY_STRUCT.pack(*key) + f"{hit['type']} {hit['id']}".encode()
    return encode_cursor(_identity(values), position)


def _start_key(
    connection: sqlite3.Connection,
    values: ParameterValues,
    where: str,
    bind_values: dict[str, Any],
    *,
    ranked: bool,
) -> MatchKey | None:
    """Key of the match before the first one of the page; None for the first page.

    A correction changes the ranks and row numbers of all resources, so the page begins after the
    resource that the cursor names, wherever it stands now. Only if that one no longer matches, the
    page begins where it was; ranks of the other kind cannot be compared.

    Raises:
        InvalidParameters: The cursor is invalid for this search.
    """
    if "cursor" not in values:
        return None
    try:
        position = decode_cursor(_identity(values), values["cursor"])
        rank, rowid = _KEY_STRUCT.unpack_from(position)
        type_, _, resource_id = position[_KEY_STRUCT.size :].decode().partition(" ")
        collection = RESOURCE_BY_TYPE[type_].collection
        current_rowid = _find_rowid(connection, collection, resource_id)
    except (ValueError, KeyError, struct.error):
        raise invalid_cursor() from None
    find_rank = _bm25 if ranked else _title_rank
    current_rank = find_rank(connection, where, bind_values, current_rowid)
    if current_rank is not None and current_rowid is not None:
        return current_rank, current_rowid
    return (rank, max(rowid, 1) - 1) if (rank < 0) == ranked else None


def _find_rowid(connection: sqlite3.Connection, collection: str, resource_id: str) -> int | None:
    """Rowid of a resource, which is also its rowid in the full-text index."""
    row = connection.execute(
        f"SELECT rowid FROM {collection} WHERE id = ?",  # noqa: S608 - a name from the models
        (resource_id,),
    ).fetchone()
    return None if row is None else int(row[0])


def _bm25(
    connection: sqlite3.Connection, where: str, bind_values: dict[str, Any], rowid: int | None
) -> float | None:
    """Rank of a resource by BM25, which is negative; None if it does not match."""
    row = connection.execute(
        f"SELECT rank FROM search WHERE {where} AND rowid = :rowid",  # noqa: S608 - values are bound
        {**bind_values, "rowid": rowid},
    ).fetchone()
    return None if row is None else float(row[0])


def _title_rank(
    connection: sqlite3.Connection, where: str, bind_values: dict[str, Any], rowid: int | None
) -> float | None:
    """Rank of a resource by its title, 0 or 1; None if it does not match."""
    words = bind_values["q"]
    for rank, expression in ((0.0, f"title : ({words})"), (1.0, words)):
        row = connection.execute(
            f"SELECT 1 FROM search WHERE {where} AND rowid = :rowid",  # noqa: S608 - values are bound
            {**bind_values, "q": expression, "rowid": rowid},
        ).fetchone()
        if row is not None:
            return rank
    return None
