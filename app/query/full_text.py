"""Full-text search over all resource types, best match first."""

from __future__ import annotations

import json
import sqlite3
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any

from app.archive.archive import Archive
from app.models import RESOURCES
from app.query.parameters import ChoiceType, Parameter, ParameterValues
from app.query.query import (
    DEFAULT_LIMIT,
    cursor_parameter,
    limit_parameter,
    match_expression,
    q_parameter,
)
from app.query.selection import invalid_cursor
from app.query.snippets import snippet
from app.responses.representations import encode_json

MAX_RANKED = 5_000
"""Maximum number of matches that are ranked by BM25; more are sorted by whether titles match."""

_MAC_BYTES = 12
_KEY_STRUCT = struct.Struct(">dq")
_COLLECTION_BY_TYPE = {model.type: model.collection for model in RESOURCES}


@cache
def search_parameters() -> Mapping[str, Parameter]:
    """The query parameters of search, by name."""
    q = q_parameter("Words to search for.")
    types = ChoiceType([model.type for model in RESOURCES])
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
    first, and each group is in record order.

    Raises:
        InvalidParameters: The cursor is invalid for this search or release.
    """
    where, bind_values = _match_condition(archive, values)
    count_statement = f"SELECT count(*) FROM search WHERE {where}"  # noqa: S608 - values are bound
    total = archive.cached_count(connection, count_statement, bind_values)
    after = _decode_cursor(archive, values)
    limit = values.get("limit", DEFAULT_LIMIT)
    find_keys = _find_by_rank if total <= MAX_RANKED else _find_by_title
    keys = find_keys(connection, where, {**bind_values, "limit": limit + 1}, after)
    cursor = None
    if len(keys) > limit:
        keys.pop()
        cursor = _encode_cursor(archive, values, *keys[-1])
    hits = _load_hits(connection, values["q"], [rowid for _, rowid in keys])
    return SearchPage(hits, total, cursor)


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


def _load_hits(connection: sqlite3.Connection, q: str, rowids: list[int]) -> list[bytes]:
    """The matches as JSON, in the order of `rowids`."""
    rows = connection.execute(
        "SELECT rowid, type, id, heading, text FROM search "
        "WHERE rowid IN (SELECT value FROM json_each(?))",
        (json.dumps(rowids),),
    )
    hits = {
        rowid: encode_json(_hit(q, *(column.decode() for column in columns)))
        for rowid, *columns in rows
    }
    return [hits[rowid] for rowid in rowids]


def _hit(q: str, type_: str, resource_id: str, title: str, text: str) -> dict[str, Any]:
    return {
        "type": type_,
        "id": resource_id,
        "title": title,
        "snippet": snippet((text, title), q),
        "links": {"self": f"/v1/{_COLLECTION_BY_TYPE[type_]}/{resource_id}"},
    }


def _encode_cursor(archive: Archive, values: ParameterValues, rank: float, rowid: int) -> str:
    """Cursor of the page after a match: a MAC of the search and the match key, and the key."""
    match_key = _KEY_STRUCT.pack(rank, rowid)
    search = json.dumps([values["q"], sorted(values.get("type", ()))]).encode()
    mac = blake2b(
        search + match_key,
        key=bytes.fromhex(archive.release),
        digest_size=_MAC_BYTES,
        person=b"search",
    ).digest()
    return urlsafe_b64encode(mac + match_key).rstrip(b"=").decode()


def _decode_cursor(archive: Archive, values: ParameterValues) -> MatchKey | None:
    """Key of the match before the first one of the page; None without a cursor.

    Raises:
        InvalidParameters: The cursor is invalid for this search or release.
    """
    cursor = values.get("cursor")
    if cursor is None:
        return None
    try:
        token = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        rank, rowid = _KEY_STRUCT.unpack(token[_MAC_BYTES:])
    except (ValueError, struct.error):
        raise invalid_cursor() from None
    if _encode_cursor(archive, values, rank, rowid) != cursor:
        raise invalid_cursor()
    return rank, rowid
