"""Queries as statements: rows of a page, totals, facets and what is included."""

from __future__ import annotations

import json
import sqlite3
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Table,
    TextClause,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import sqlite
from sqlmodel import SQLModel

from app.archive.archive import COLLECTIONS, Archive, link_table
from app.models import RESOURCES, Document
from app.models.filters import Sort
from app.query.query import Query, StatementShape
from app.responses.problems import InvalidParameters, ParameterError

Rows = list[tuple[bytes, bytes]]
"""Ids and documents."""

_DIGEST = 12
_MOST_STATEMENTS = 1_000
_BY_TYPE = {model.type: model for model in RESOURCES}


@dataclass(frozen=True, slots=True)
class ResultPage:
    """The documents of one page.

    Attributes:
        documents: Each as JSON.
        ids: The id of each.
        total: How many there are on all pages.
        cursor: Where the next page begins, or None on the last one.
    """

    documents: Sequence[bytes]
    ids: Sequence[str]
    total: int
    cursor: str | None


def find_page(archive: Archive, query: Query, connection: sqlite3.Connection) -> ResultPage:
    """Select one page.

    Raises:
        InvalidParameters: The cursor is not one that this query gave under this release.
    """
    after = decode_cursor(archive, query, connection)
    total = count_items(archive, query, connection)
    rows = find_rows(archive, query, after, query.page_size + 1, connection)
    cursor = None
    if len(rows) > query.page_size:
        rows.pop()
        cursor = encode_cursor(archive, query, rows[-1][0].decode())
    return ResultPage([row[1] for row in rows], [row[0].decode() for row in rows], total, cursor)


def find_rows(
    archive: Archive,
    query: Query,
    after: str | None,
    wanted: int,
    connection: sqlite3.Connection,
) -> Rows:
    """Ids and documents in the query's order, from the row after the one of this id on."""
    bound = _bound(archive, query)
    walks = _prefers_sort_index(archive, query, wanted, connection)
    rows: Rows = []
    for segment, values in _keyset_ranges(connection, query, after):
        statement = _page_statement(query.collection, query.shape, query.sort, segment, walks)
        everything = {**bound, **values, "wanted": wanted - len(rows)}
        rows += connection.execute(statement, everything).fetchall()
        if len(rows) >= wanted:
            break
    return rows


def find_document(archive: Archive, collection: str, name: str) -> bytes | None:
    """The document of one resource as JSON, or None where no resource has this id."""
    row = archive.connection.execute(
        f"SELECT document FROM {collection} WHERE id = ?",  # noqa: S608 - a name from COLLECTIONS
        (name,),
    ).fetchone()
    return None if row is None else row[0]


def count_items(archive: Archive, query: Query, connection: sqlite3.Connection) -> int:
    """How many items the conditions leave."""
    if not query.conditions:
        return archive.counts[query.collection]
    statement = _count_statement(query.collection, query.shape)
    return archive.cached_count(connection, statement, _bound(archive, query))


def count_facets(
    archive: Archive, query: Query, connection: sqlite3.Connection
) -> dict[str, list[dict[str, Any]]]:
    """For each facet asked for, the number of items per value, the commonest first.

    Items without a value are counted under None.
    """
    bound = _bound(archive, query)
    facets = {}
    for parameter in query.facet:
        counted: list[tuple[str | None, int]] = []
        for statement in _facet_statements(query.collection, query.shape, parameter):
            for value, number in connection.execute(statement, bound):
                if number:
                    counted.append((None if value is None else value.decode(), number))
        counted.sort(key=lambda one: (-one[1], one[0] is None, one[0]))
        facets[parameter] = [{"value": value, "count": number} for value, number in counted]
    return facets


def find_included(
    collection: str, ids: Sequence[str], include: Sequence[str], connection: sqlite3.Connection
) -> dict[str, list[bytes]]:
    """The documents that items refer to, once each, by collection and in the record's order."""
    included = {}
    for field in include:
        name, statement = _inclusion(collection, field)
        rows = connection.execute(statement, (json.dumps(ids),))
        included[name] = [document for (document,) in rows]
    return included


def encode_cursor(archive: Archive, query: Query, name: str) -> str:
    """An opaque token for the row after which the next page begins."""
    canonical = [query.collection, sorted(query.conditions.items()), query.sort.field]
    content = json.dumps([*canonical, query.descending, name]).encode()
    key = bytes.fromhex(archive.release)
    token = blake2b(content, key=key, digest_size=_DIGEST).digest() + name.encode()
    return urlsafe_b64encode(token).rstrip(b"=").decode()


def decode_cursor(archive: Archive, query: Query, connection: sqlite3.Connection) -> str | None:
    """Id of the row after which the page begins; None at the start.

    Raises:
        InvalidParameters: The cursor is not one that this query gave under this release.
    """
    if query.cursor is None:
        return None
    try:
        padded = query.cursor + "=" * (-len(query.cursor) % 4)
        name = urlsafe_b64decode(padded)[_DIGEST:].decode()
    except ValueError:
        name = None
    if name is None or encode_cursor(archive, query, name) != query.cursor:
        raise invalid_cursor()
    if _key(connection, query, name) is None:  # signed by someone else: the release is no secret
        raise invalid_cursor()
    return name


def _key(connection: sqlite3.Connection, query: Query, name: str) -> tuple[Any] | None:
    """What the row of an id is sorted by, or None where there is no such row."""
    row: tuple[Any] | None = connection.execute(
        f"SELECT {query.sort.column} FROM {query.collection} WHERE id = ?",  # noqa: S608 - names from the models
        (name,),
    ).fetchone()
    return row


def invalid_cursor() -> InvalidParameters:
    """The error of a cursor that was tampered with, or is of another query or release."""
    message = (
        "cursor: not one that this query gave under this release of the data. "
        "Start again without it, or follow links.next unchanged."
    )
    return InvalidParameters([ParameterError("cursor", message)])


class _KeysetRange(NamedTuple):
    """A stretch of the order: with a key or without one, after a row or from the start."""

    null: bool = False
    after: str | None = None
    """`ties` with the last row's key, `beyond` it, or both at once (`row`)."""
    descending: bool = False


def _keyset_ranges(
    connection: sqlite3.Connection, query: Query, after: str | None
) -> Iterator[tuple[_KeysetRange, dict[str, Any]]]:
    """The stretches of the order from a row on; each is one walk along an index."""
    descending = query.descending
    nulls = _KeysetRange(null=True, descending=descending)
    if after is None:
        yield _KeysetRange(descending=descending), {}
        if query.sort.nullable:
            yield nulls, {}
        return
    row = _key(connection, query, after)
    key = row[0] if row is not None else None
    key = key.decode() if isinstance(key, bytes) else key
    last = {"last_key": key, "last_id": after}
    if key is None:
        yield _KeysetRange(null=True, after="ties", descending=descending), last
        return
    if query.sort.column != "id" and descending:
        yield _KeysetRange(after="ties", descending=True), last
        yield _KeysetRange(after="beyond", descending=True), last
    else:
        yield _KeysetRange(after="row", descending=descending), last
    if query.sort.nullable:
        yield nulls, {}


def _bound(archive: Archive, query: Query) -> dict[str, Any]:
    """Values of the conditions, with the rows among which full text is searched."""
    if "q" not in query.conditions:
        return query.bind_values
    first, last = archive.rowid_ranges[COLLECTIONS[query.collection].type]
    return {**query.bind_values, "q_first": first, "q_last": last}


def _prefers_sort_index(
    archive: Archive, query: Query, wanted: int, connection: sqlite3.Connection
) -> bool:
    """Whether it is cheaper to walk along the sort's index and try each row.

    The other way is to gather the rows that a filter's index gives and sort them: worth it where
    they are few. A walk passes about `wanted * all / total` rows, gathering passes `total`.
    """
    if not query.conditions or query.sort.column == "id":  # filters' indexes are in order of id
        return False
    total = count_items(archive, query, connection)
    return total * total >= wanted * archive.counts[query.collection]


@lru_cache(_MOST_STATEMENTS)
def _count_statement(collection: str, shape: StatementShape) -> str:
    """SQL that counts the rows which the conditions leave."""
    table = SQLModel.metadata.tables[collection]
    model = COLLECTIONS[collection]
    for name, several in shape:
        one = _linked(model, name)
        if one is None or (several and len(shape) > 1):
            continue
        linked, parameter = one
        held = [
            _range_condition(model, linked.c.__getitem__, other)
            for other, _ in shape
            if "__" in other
        ]
        others = [
            _condition(table, model, *other, walks=False)
            for other in shape
            if other[0] != name and "__" not in other[0]
        ]
        rows = linked
        if others:
            rows = _with_owners(linked, table)
        number = func.count(linked.c.number.distinct()) if several else func.count()
        holds = _member_condition(linked.c[parameter], name, several)
        return _text(select(number).select_from(rows).where(holds, *held, *others))
    conditions = [_condition(table, model, *one, walks=False) for one in shape]
    return _text(select(func.count()).select_from(table).where(*conditions))


@lru_cache(_MOST_STATEMENTS)
def _page_statement(
    collection: str, shape: StatementShape, sort: Sort, segment: _KeysetRange, walks: bool
) -> str:
    """SQL of one stretch of a page."""
    table = SQLModel.metadata.tables[collection]
    conditions = [_condition(table, COLLECTIONS[collection], *one, walks=walks) for one in shape]
    column = table.c[sort.column]
    order = [column.desc() if segment.descending else column, table.c.id]
    return _text(
        select(table.c.id, table.c.document)
        .where(*conditions, *_keyset_condition(table, column, sort, segment))
        .order_by(*(order[:1] if sort.column == "id" else order))
        .limit(bindparam("wanted"))
        .offset(literal_column("0"))
    )


@lru_cache(_MOST_STATEMENTS)
def _facet_statements(collection: str, shape: StatementShape, parameter: str) -> list[str]:
    """SQL that counts items per value: one statement, and one for those that have none."""
    model = COLLECTIONS[collection]
    table = SQLModel.metadata.tables[collection]
    conditions = [_condition(table, model, *one, walks=False) for one in shape]
    field = next(one.field for one in model.filters if one.parameter == parameter)
    link = link_table(model, field)
    if link is None:
        column = table.c[field]
        return [_text(select(column, func.count()).where(*conditions).group_by(column))]
    linked = SQLModel.metadata.tables[link]
    value, owner = linked.c[parameter], linked.c[model.type]
    joined = _with_owners(linked, table)
    per_value = select(value, func.count()).select_from(joined).where(*conditions).group_by(value)
    none = ~exists().where(owner == table.c.id)
    nothing: ColumnElement[Any] = literal_column("NULL")
    without = select(nothing, func.count()).select_from(table)
    return [_text(per_value), _text(without.where(*conditions, none))]


@cache
def _inclusion(collection: str, field: str) -> tuple[str, str]:
    """The collection that a field's resources are of, and the SQL that finds them."""
    model = COLLECTIONS[collection]
    items = "SELECT value FROM json_each(?)"
    if field == "citations":
        return "citations", (
            f"SELECT document FROM citations WHERE resource_type = '{model.type}' "  # noqa: S608 - names from the models
            f"AND resource IN ({items}) ORDER BY rowid"
        )
    wanted = _BY_TYPE[model.references[field]].collection  # type: ignore[attr-defined]
    link = link_table(model, field)
    named = f"SELECT {field} FROM {collection} WHERE id IN ({items})"  # noqa: S608 - names from the models
    if link is not None:
        parameter = next(one.parameter for one in model.filters if one.field == field)
        named = f"SELECT {parameter} FROM {link} WHERE {model.type} IN ({items})"  # noqa: S608 - as above
    return wanted, f"SELECT document FROM {wanted} WHERE id IN ({named}) ORDER BY rowid"  # noqa: S608 - as above


def _text(statement: Select[*tuple[Any, ...]]) -> str:
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="named")))


def _keyset_condition(
    table: Table, column: ColumnElement[Any], sort: Sort, segment: _KeysetRange
) -> Iterator[ColumnElement[bool]]:
    key: BindParameter[Any] = bindparam("last_key")
    name: BindParameter[Any] = bindparam("last_id")
    if sort.nullable:
        yield column.is_(None) if segment.null else column.is_not(None)
    match segment.after:
        case "ties" if segment.null:
            yield table.c.id > name
        case "ties":
            yield column == key
            yield table.c.id > name
        case "beyond":
            yield column < key
        case "row" if sort.column == "id":
            yield column < name if segment.descending else column > name
        case "row":
            yield tuple_(column, table.c.id) > tuple_(key, name)


def _condition(
    table: Table, model: type[Document], name: str, several: bool, *, walks: bool
) -> ColumnElement[bool] | TextClause:
    """A filter, range or search as a condition on rows.

    For a walk along the sort's index no other index may be taken: a plus before a column keeps
    SQLite from it (its query planner's documentation, "unary + operators").
    """
    plus = "+" if walks else ""

    def column(named: str) -> ColumnElement[Any]:
        own: ColumnElement[Any] = literal_column(f'{plus}{table.name}."{named}"')
        return own

    if name == "q":
        return _matching(table, plus)
    if "__" in name:
        return _range_condition(model, column, name)
    link = _linked(model, name)
    if link is None:
        field = next(one.field for one in model.filters if one.parameter == name)
        return _member_condition(column(field), name, several)
    linked, parameter = link
    holds = _member_condition(linked.c[parameter], name, several)
    if walks:
        return exists().where(linked.c[model.type] == table.c.id, holds)
    return table.c.id.in_(select(linked.c[model.type]).where(holds))


def _range_condition(
    model: type[Document], column: Callable[[str], ColumnElement[Any]], name: str
) -> ColumnElement[bool]:
    """A range as a condition on a column."""
    field, _, bound = name.partition("__")
    first, last = next(one.columns for one in model.ranges if one.field == field)
    value: BindParameter[Any] = bindparam(name)
    return column(first) >= value if bound == "gte" else column(last) <= value


def _with_owners(linked: FromClause, table: Table) -> FromClause:
    """The members of lists, each with the row that it belongs to, which is found by its number."""
    number: ColumnElement[int] = literal_column(f"{table.name}.rowid")
    return linked.join(table, linked.c.number == number)


def _linked(model: type[Document], name: str) -> tuple[FromClause, str] | None:
    """The table that holds the members of a filter's list, and its column; None for no list."""
    one = next((one for one in model.filters if one.parameter == name), None)
    link = link_table(model, one.field) if one is not None else None
    return None if link is None else (SQLModel.metadata.tables[link].alias(), name)


def _matching(table: Table, plus: str) -> TextClause:
    """Rows that full-text search finds: the index numbers them as the table does."""
    return text(
        f"{plus}{table.name}.rowid IN (SELECT rowid FROM search "  # noqa: S608 - a name from COLLECTIONS
        "WHERE search MATCH :q AND rowid BETWEEN :q_first AND :q_last)"
    )


def _member_condition(column: ColumnElement[Any], name: str, several: bool) -> ColumnElement[bool]:
    if not several:
        return column == bindparam(name)
    members = func.json_each(bindparam(name)).table_valued("value")
    return column.in_(select(literal_column("value")).select_from(members))
