"""Full-text search over every type, best match first."""

from __future__ import annotations

import json
import sqlite3
import struct
import time
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

_DIGEST = 12
_PLACE = struct.Struct(">dq")
MAX_RANKED = 5_000
"""Matches up to which all are ranked."""

_COLLECTION = {model.type: model.collection for model in RESOURCES}


@cache
def search_parameters() -> Mapping[str, Parameter]:
    """The query parameters of search, by name."""
    q = q_parameter("Words to look for.")
    kinds = ChoiceType([model.type for model in RESOURCES])
    listed = [
        Parameter(q.name, q.type, q.description, required=True),
        Parameter("type", kinds, "Only resources of this type. Repeat it for OR.", repeatable=True),
        limit_parameter(),
        cursor_parameter(),
    ]
    return {parameter.name: parameter for parameter in listed}


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of matches.

    Attributes:
        hits: Each as JSON.
        total: How many resources match.
        cursor: Where the next page begins, or None on the last one.
    """

    hits: Sequence[bytes]
    total: int
    cursor: str | None


def find_matches(
    archive: Archive, values: ParameterValues, connection: sqlite3.Connection
) -> SearchPage:
    """The resources that match, by relevance.

    That is BM25, a word in the title counting ten times. Words that more than `MOST_RANKED`
    resources have tell little apart: then those that have them in the title come first, and each
    group is in the order of the record.

    Raises:
        InvalidParameters: The cursor is not one that this search gave under this release.
    """
    where, bound = _matching(archive, values)
    counting = f"SELECT count(*) FROM search WHERE {where}"  # noqa: S608 - values are bound
    total = archive.cached_count(connection, counting, bound)
    wanted = values.get("limit", DEFAULT_LIMIT) + 1
    place = _place(archive, values)
    order = _ranked if total <= MAX_RANKED else _by_title
    ranked = order(connection, where, {**bound, "wanted": wanted}, place)
    cursor = None
    if len(ranked) == wanted:
        ranked.pop()
        cursor = _cursor(archive, values, *ranked[-1])
    hits = _hits(connection, values["q"], [number for _, number in ranked])
    return SearchPage(hits, total, cursor)


Place = tuple[float, int]
"""Rank and number of a match; the better match has the lower rank."""


def _ranked(
    connection: sqlite3.Connection, where: str, bound: dict[str, Any], place: Place | None
) -> list[Place]:
    """Matches after a place, by BM25."""
    after = ""
    if place is not None:
        after = " AND (rank > :rank OR (rank = :rank AND rowid > :number))"
        bound = {**bound, "rank": place[0], "number": place[1]}
    return connection.execute(
        f"SELECT rank, rowid FROM search WHERE {where}{after} ORDER BY rank, rowid LIMIT :wanted",  # noqa: S608 - values are bound
        bound,
    ).fetchall()


def _by_title(
    connection: sqlite3.Connection, where: str, bound: dict[str, Any], place: Place | None
) -> list[Place]:
    """Matches after a place, those in the title first."""
    words = bound["q"]
    in_title = f"title : ({words})"
    groups = ((0.0, in_title), (1.0, f"({words}) NOT ({in_title})"))
    found: list[Place] = []
    for rank, match in groups:
        if place is not None and rank < place[0]:
            continue
        number = place[1] if place is not None and rank == place[0] else 0
        asked = {**bound, "q": match, "number": number, "wanted": bound["wanted"] - len(found)}
        found += connection.execute(
            f"SELECT {rank}, rowid FROM search WHERE {where} AND rowid > :number "  # noqa: S608 - values are bound
            "ORDER BY rowid LIMIT :wanted",
            asked,
        ).fetchall()
    return found


def _matching(archive: Archive, values: ParameterValues) -> tuple[str, dict[str, Any]]:
    """The condition on rows of the index, and what it binds."""
    bound: dict[str, Any] = {"q": match_expression(values["q"])}
    rowid_ranges = []
    for number, kind in enumerate(dict.fromkeys(values.get("type", ()))):
        bound[f"first_{number}"], bound[f"last_{number}"] = archive.rowid_ranges[kind]
        rowid_ranges.append(f"rowid BETWEEN :first_{number} AND :last_{number}")
    where = "search MATCH :q"
    return (f"{where} AND ({' OR '.join(rowid_ranges)})" if rowid_ranges else where), bound


def _hits(connection: sqlite3.Connection, q: str, numbers: list[int]) -> list[bytes]:
    """The matches as JSON, in the order of their numbers."""
    rows = connection.execute(
        "SELECT rowid, type, id, heading, text FROM search "
        "WHERE rowid IN (SELECT value FROM json_each(?))",
        (json.dumps(numbers),),
    )
    hits = {}
    for number, *parts in rows:
        hits[number] = encode_json(_hit(q, *(part.decode() for part in parts)))
        time.sleep(0)  # lets go of the interpreter, for the event loop to answer meanwhile
    return [hits[number] for number in numbers]


def _hit(q: str, kind: str, name: str, heading: str, text: str) -> dict[str, Any]:
    return {
        "type": kind,
        "id": name,
        "title": heading,
        "snippet": snippet((text, heading), q),
        "links": {"self": f"/v1/{_COLLECTION[kind]}/{name}"},
    }


def _cursor(archive: Archive, values: ParameterValues, rank: float, number: int) -> str:
    place = _PLACE.pack(rank, number)
    asked = json.dumps([values["q"], sorted(values.get("type", ()))]).encode()
    key = bytes.fromhex(archive.release)
    signed = blake2b(asked + place, key=key, digest_size=_DIGEST, person=b"search").digest()
    return urlsafe_b64encode(signed + place).rstrip(b"=").decode()


def _place(archive: Archive, values: ParameterValues) -> Place | None:
    """The place after which the page begins; None at the start.

    Raises:
        InvalidParameters: The cursor is not one that this search gave under this release.
    """
    sent = values.get("cursor")
    if sent is None:
        return None
    try:
        token = urlsafe_b64decode(sent + "=" * (-len(sent) % 4))
        rank, number = _PLACE.unpack(token[_DIGEST:])
    except (ValueError, struct.error):
        raise invalid_cursor() from None
    if _cursor(archive, values, rank, number) != sent:
        raise invalid_cursor()
    return rank, number
