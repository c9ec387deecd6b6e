"""Builds and runs the SQL of list requests: pages, totals, facets and included resources.

Pages are selected by keyset pagination: the cursor holds the sort key and the id of the last row of
a page, and the next page starts after them in the sort order. Late pages are thus as fast as early
ones, and a cursor stays valid after a correction, even one that changed or removed that row.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple

from app.archive.archive import LISTS, Archive, decoded
from app.models import RESOURCE_BY_TYPE, Document, Resource
from app.models.filters import Sort
from app.query.cursors import (
    MAX_KEY_LENGTH,
    Position,
    SortKey,
    decode_position,
    encode_cursor,
)
from app.query.query import FilterSignature, Query

Rows = list[tuple[bytes, bytes]]
"""Ids and documents."""

_MAX_CACHED_STATEMENTS = 1_000


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page of a list.

    Attributes:
        documents: The items as JSON.
        ids: Ids of the items; of changes, their sort keys.
        total: Number of items on all pages.
        cursor: Cursor of the next page; None on the last page.
    """

    documents: Sequence[bytes]
    ids: Sequence[str]
    total: int
    cursor: str | None


def find_page(archive: Archive, query: Query, connection: sqlite3.Connection) -> ResultPage:
    """The requested page.

    Raises:
        InvalidParameters: The cursor is invalid for this query.
    """
    after = start_position(query, connection)
    total = count_items(archive, query, connection)
    rows = find_rows(archive, query, after, query.page_size + 1, connection)
    cursor = None
    if len(rows) > query.page_size:
        rows.pop()
        cursor = next_cursor(query, rows[-1][0].decode(), connection)
    return ResultPage([row[1] for row in rows], [row[0].decode() for row in rows], total, cursor)


def find_rows(
    archive: Archive,
    query: Query,
    after: Position | None,
    limit: int,
    connection: sqlite3.Connection,
) -> Rows:
    """Ids and documents in the query's sort order.

    Args:
        archive: The archive.
        query: The query; its own cursor and limit are ignored.
        after: Position of the row before the first one to return; None for the start.
        limit: Maximum number of rows.
        connection: Connection to the archive.
    """
    bind_values = _bind_values(archive, query)
    scans_sort_index = _prefers_sort_index(archive, query, limit, connection)
    rows: Rows = []
    for keyset_range, last_row in _keyset_ranges(query, after):
        statement = _page_statement(
            query.collection, query.signature, query.sort, keyset_range, scans_sort_index
        )
        range_values = {**bind_values, **last_row, "limit": limit - len(rows)}
        rows += connection.execute(statement, range_values).fetchall()
        if len(rows) >= limit:
            break
    return rows


def find_document(archive: Archive, collection: str, item_id: str) -> bytes | None:
    """The document of an item as JSON; None if no item has this id."""
    row = archive.connection.execute(
        f"SELECT document FROM {collection} WHERE id = ?",
        (item_id,),
    ).fetchone()
    return None if row is None else row[0]


def count_items(archive: Archive, query: Query, connection: sqlite3.Connection) -> int:
    """Number of items that match the conditions."""
    if not query.conditions:
        return archive.rows[query.collection]
    statement = _count_statement(query.collection, query.signature)
    return archive.cached_count(connection, statement, _bind_values(archive, query))


def count_facets(
    archive: Archive, query: Query, connection: sqlite3.Connection
) -> dict[str, list[dict[str, Any]]]:
    """Number of matching items per value for each requested facet, highest count first.

    Items without a value are counted under None. A value that is an id has the name or title of
    its resource as its label.
    """
    bind_values = _bind_values(archive, query)
    facets = {}
    for parameter in query.facet:
        counts: list[tuple[int, str | None, str | None]] = []
        for statement in _facet_statements(query.collection, query.signature, parameter):
            for count, *texts in connection.execute(statement, bind_values):
                if count:
                    value, label = (None if text is None else text.decode() for text in texts)
                    counts.append((count, value, label))
        counts.sort(key=lambda item: (-item[0], item[1] is None, item[1]))
        facets[parameter] = [
            {"value": value, "label": label, "count": count} for count, value, label in counts
        ]
    return facets


def find_included(
    collection: str, ids: Sequence[str], include: Sequence[str], connection: sqlite3.Connection
) -> dict[str, list[bytes]]:
    """The documents that items reference, each once, by collection, in the order of the seed."""
    included = {}
    for field in include:
        name, statement = _include_statement(collection, field)
        rows = connection.execute(statement, (json.dumps(ids),))
        included[name] = [document for (document,) in rows]
    return included


def next_cursor(query: Query, last_id: str, connection: sqlite3.Connection) -> str:
    """Cursor of the page after the row with this id."""
    return encode_cursor(query.identity, row_position(query, last_id, connection).to_bytes())


def start_position(query: Query, connection: sqlite3.Connection) -> Position | None:
    """Position of the row before the first one of the page; None without a cursor.

    Raises:
        InvalidParameters: The cursor is invalid for this query.
    """
    if query.cursor is None:
        return None
    position = decode_position(query.identity, query.cursor)
    if isinstance(position.key, str) and len(position.key) >= MAX_KEY_LENGTH:
        return _complete_position(query, position.key, position.id, connection)
    return position


def row_position(query: Query, item_id: str, connection: sqlite3.Connection) -> Position:
    """Position of an item in the sort order."""
    if query.sort.column == "id":
        return Position(None, item_id)
    return Position(_find_sort_key(query, item_id, connection), item_id)


def _complete_position(
    query: Query, prefix: str, item_id: str, connection: sqlite3.Connection
) -> Position:
    """The position of an item whose sort key was cut off in the cursor.

    If a correction changed or removed the item, the rest of its key is unknown. The page then
    begins at the first key with this prefix: rows may be repeated, but none is left out.
    """
    key = _find_sort_key(query, item_id, connection)
    if isinstance(key, str) and key.startswith(prefix):
        return Position(key, item_id)
    return Position(f"{prefix}\U0010ffff" if query.descending else prefix, "")


def _find_sort_key(query: Query, item_id: str, connection: sqlite3.Connection) -> SortKey:
    """Value of the sort column of an item; None if it is null or no item has this id."""
    row = connection.execute(
        f"SELECT {query.sort.column} FROM {query.collection} WHERE id = ?",
        (item_id,),
    ).fetchone()
    key: SortKey = decoded(row[0]) if row is not None else None
    return key


class _KeysetRange(NamedTuple):
    """A contiguous range of the sort index.

    Attributes:
        null: Whether the rows have a null sort key or a non-null one.
        after: How the rows are limited to those after the last row of the previous page; None at
            the start. `same_key`: the same sort key and a greater id. `later`: a sort key later in
            the order (only used in descending order, so a smaller value). `tuple`: sort key and id
            compared together.
        descending: Whether the sort key descends.
    """

    null: bool = False
    after: Literal["same_key", "later", "tuple"] | None = None
    descending: bool = False


def _keyset_ranges(
    query: Query, after: Position | None
) -> Iterator[tuple[_KeysetRange, dict[str, Any]]]:
    """The ranges that follow a position in the sort order, each with its bind parameters.

    When the sort index is scanned, each is one contiguous part of it.
    """
    descending, by_id = query.descending, query.sort.column == "id"
    nulls = _KeysetRange(null=True, descending=descending)
    if after is None:
        yield _KeysetRange(descending=descending), {}
    else:
        last_row = {"last_key": after.key, "last_id": after.id}
        if after.key is None and not by_id:
            yield _KeysetRange(null=True, after="same_key", descending=descending), last_row
            return
        if descending and not by_id:  # the sort key descends, but the id ascends
            yield _KeysetRange(after="same_key", descending=True), last_row
            yield _KeysetRange(after="later", descending=True), last_row
        else:
            yield _KeysetRange(after="tuple", descending=descending), last_row
    if query.sort.nullable:
        yield nulls, {}


def _bind_values(archive: Archive, query: Query) -> dict[str, Any]:
    """Bind parameters of the conditions, plus this collection's rowid range in the search index."""
    if "q" not in query.conditions:
        return query.bind_values
    first, last = archive.rowid_ranges[LISTS[query.collection].type]
    return {**query.bind_values, "q_first": first, "q_last": last}


def _prefers_sort_index(
    archive: Archive, query: Query, limit: int, connection: sqlite3.Connection
) -> bool:
    """Whether to scan the sort index and filter, rather than filter by index and then sort.

    The scan reads about `limit * collection_size / total` rows; filtering first reads `total`.
    """
    # indexes of filters end with the id, so sorting by id needs no extra sort
    if not query.conditions or query.sort.column == "id":
        return False
    total = count_items(archive, query, connection)
    return total * total >= limit * archive.rows[query.collection]


@lru_cache(_MAX_CACHED_STATEMENTS)
def _count_statement(collection: str, signature: FilterSignature) -> str:
    """SQL that counts the matching items.

    If a filter is on a list field, count the rows of its link table instead of the items. With
    several values this needs COUNT(DISTINCT), which is faster only if there are no other
    conditions.
    """
    model = LISTS[collection]
    for name, has_multiple_values in signature:
        link = model.link_table(_filtered_field(model, name))
        if link is not None and not (has_multiple_values and len(signature) > 1):
            return _count_link_rows(model, link, name, signature)
    conditions = [_condition(model, *condition) for condition in signature]
    return f"SELECT count(*) FROM {collection}{_where(conditions)}"


def _count_link_rows(
    model: type[Document], link: str, name: str, signature: FilterSignature
) -> str:
    """SQL that counts the link rows that meet the filter `name` and all other conditions."""
    count, source, conditions = "count(*)", link, []
    for other, has_multiple_values in signature:
        if other == name:
            conditions.append(_value_condition(f"{link}.{name}", name, has_multiple_values))
            if has_multiple_values:
                count = f"count(DISTINCT {link}.item_rowid)"
        elif _is_range(other):
            conditions.append(_range_condition(model, link, other))
        else:
            conditions.append(_condition(model, other, has_multiple_values))
            source = _join_items(model, link)
    return f"SELECT {count} FROM {source}{_where(conditions)}"


@lru_cache(_MAX_CACHED_STATEMENTS)
def _page_statement(
    collection: str,
    signature: FilterSignature,
    sort: Sort,
    keyset_range: _KeysetRange,
    scans_sort_index: bool,
) -> str:
    """SQL that selects the matching rows of a keyset range."""
    model = LISTS[collection]
    plus = "+" if scans_sort_index else ""
    conditions = [_condition(model, *condition, plus) for condition in signature]
    conditions += _keyset_conditions(sort, keyset_range)
    order = f"{sort.column} DESC" if keyset_range.descending else sort.column
    if sort.column != "id":
        order += ", id"
    return (
        f"SELECT id, document FROM {collection}{_where(conditions)} ORDER BY {order} LIMIT :limit"
    )


@lru_cache(_MAX_CACHED_STATEMENTS)
def _facet_statements(collection: str, signature: FilterSignature, parameter: str) -> list[str]:
    """SQL that selects count, value and label; for a list field, a second one for empty lists."""
    model = LISTS[collection]
    field = _filtered_field(model, parameter)
    link = model.link_table(field)
    conditions = [_condition(model, *condition) for condition in signature]
    source, value = collection, f"{collection}.{field}"
    if link is not None:
        source, value = _join_items(model, link), f"{link}.{parameter}"
    columns = f"count(*), {value}, {_label(model, field, value)}"
    statements = [f"SELECT {columns} FROM {source}{_where(conditions)} GROUP BY {value}"]
    if link is not None:
        is_member = f"SELECT 1 FROM {link} WHERE {model.type} = {collection}.id"
        is_empty = _where([*conditions, f"NOT EXISTS ({is_member})"])
        statements.append(f"SELECT count(*), NULL, NULL FROM {collection}{is_empty}")
    return statements


def _label(model: type[Document], field: str, value: str) -> str:
    """SQL for the name or title of the resource that a value refers to; NULL if it is not an id."""
    type_ = model.references.get(field) if issubclass(model, Resource) else None
    if type_ is None:
        return "NULL"
    target = RESOURCE_BY_TYPE[type_]
    return (
        f"(SELECT target.{target.searchable_fields[0]} FROM {target.collection} AS target "
        f"WHERE target.id = {value})"
    )


def _filtered_field(model: type[Document], name: str) -> str:
    """The field that a condition compares; its own name if it is no filter."""
    filters = model.all_filters()
    return next((filter_.field for filter_ in filters if filter_.parameter == name), name)


@cache
def _include_statement(collection: str, field: str) -> tuple[str, str]:
    """The collection that a field references, and SQL that selects its documents.

    The bind parameter is a JSON array with the ids of the referencing items.
    """
    model = LISTS[collection]
    item_ids = "SELECT value FROM json_each(?)"
    if field == "citations":
        return "citations", (
            f"SELECT document FROM citations WHERE resource_type = '{model.type}' "
            f"AND resource IN ({item_ids}) ORDER BY rowid"
        )
    target = RESOURCE_BY_TYPE[model.references[field]].collection  # type: ignore[attr-defined]
    link = model.link_table(field)
    target_ids = f"SELECT {field} FROM {collection} WHERE id IN ({item_ids})"
    if link is not None:
        parameter = next(filter_.parameter for filter_ in model.filters if filter_.field == field)
        target_ids = f"SELECT {parameter} FROM {link} WHERE {model.type} IN ({item_ids})"
    return target, f"SELECT document FROM {target} WHERE id IN ({target_ids}) ORDER BY rowid"


def _keyset_conditions(sort: Sort, keyset_range: _KeysetRange) -> Iterator[str]:
    column = sort.column
    if sort.nullable:
        yield f"{column} IS NULL" if keyset_range.null else f"{column} IS NOT NULL"
    match keyset_range.after:
        case "same_key" if keyset_range.null:
            yield "id > :last_id"
        case "same_key":
            yield f"{column} = :last_key"
            yield "id > :last_id"
        case "later":
            yield f"{column} < :last_key"
        case "tuple" if column == "id":
            yield "id < :last_id" if keyset_range.descending else "id > :last_id"
        case "tuple":
            yield f"({column}, id) > (:last_key, :last_id)"


def _where(conditions: Iterable[str]) -> str:
    joined = " AND ".join(conditions)
    return f" WHERE {joined}" if joined else ""


def _condition(model: type[Document], name: str, has_multiple_values: bool, plus: str = "") -> str:
    """The SQL condition of a filter, a range or `q`.

    To scan the sort index, SQLite must not use the index of a filter: a unary plus before a column
    rules that out (SQLite's query planner documentation, "unary + operators").
    """
    table = model.collection
    if name == "q":  # the full-text index uses the same rowids as the table
        return (
            f"{plus}{table}.rowid IN (SELECT rowid FROM search "
            "WHERE search MATCH :q AND rowid BETWEEN :q_first AND :q_last)"
        )
    if _is_range(name):
        return _range_condition(model, f"{plus}{table}", name)
    field = _filtered_field(model, name)
    link = model.link_table(field)
    if link is None:
        return _value_condition(f"{plus}{table}.{field}", name, has_multiple_values)
    has_value = _value_condition(f"{link}.{name}", name, has_multiple_values)
    if plus:
        return f"EXISTS (SELECT 1 FROM {link} WHERE {model.type} = {table}.id AND {has_value})"
    return f"{table}.id IN (SELECT {model.type} FROM {link} WHERE {has_value})"


def _is_range(name: str) -> bool:
    return "__" in name


def _range_condition(model: type[Document], table: str, name: str) -> str:
    """The SQL condition of a range, on the columns of a table."""
    field, _, operator = name.partition("__")
    first, last = next(range_.columns for range_ in model.ranges if range_.field == field)
    return f"{table}.{first} >= :{name}" if operator == "gte" else f"{table}.{last} <= :{name}"


def _join_items(model: type[Document], link: str) -> str:
    """The link table joined to the items, by rowid."""
    table = model.collection
    return f"{link} JOIN {table} ON {link}.item_rowid = {table}.rowid"


def _value_condition(column: str, name: str, has_multiple_values: bool) -> str:
    if has_multiple_values:
        return f"{column} IN (SELECT value FROM json_each(:{name}))"
    return f"{column} = :{name}"
