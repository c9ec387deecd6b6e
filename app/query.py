"""A collection's parameters, and the statements they select documents with."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Table,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects import sqlite
from sqlmodel import SQLModel

from app.archive import COLLECTIONS, Archive, link_table
from app.models.dates import first_day, last_day
from app.models.filters import Filter, Range, Sort
from app.models.values import SLUG_PATTERN
from app.parameters import Choice, Date, Integer, Kind, Parameter, Text, Values
from app.problems import InvalidParameters, ParameterError

DEFAULT_LIMIT = 200
MAXIMUM_LIMIT = 1_000
_DIGEST = 12
_LARGEST = 2**53 - 1


@cache
def parameters(collection: str) -> Mapping[str, Parameter]:
    """Every query parameter of a collection, by name, in the order they are described."""
    model = COLLECTIONS[collection]
    sorts = [name for sort in model.sorts for name in (sort.field, f"-{sort.field}")]
    listed = [
        *(_filter_parameter(one) for one in model.filters),
        *(parameter for one in model.ranges for parameter in _range_parameters(one)),
        Parameter(
            "sort",
            Choice(sorts),
            "Field to sort by; `-` before it for descending. `null` comes last, ties go by `id`.",
            default=sorts[0],
        ),
        Parameter(
            "limit",
            Integer(1, MAXIMUM_LIMIT),
            "Most items on a page.",
            default=DEFAULT_LIMIT,
        ),
        Parameter(
            "cursor",
            Text("the cursor of a `links.next`", r"[A-Za-z0-9_-]+", 200),
            "Where the page begins, as `links.next` of the page before has it. Opaque.",
        ),
    ]
    return {parameter.name: parameter for parameter in listed}


@dataclass(frozen=True, slots=True)
class Query:
    """What a list request asks for.

    Attributes:
        collection: Name of the collection.
        conditions: Values of filters and ranges, by parameter.
        sort: What to sort by.
        descending: Whether the order is reversed; `null` is last all the same.
        limit: Most items on the page.
        cursor: Where the page begins, as sent.
    """

    collection: str
    conditions: Mapping[str, Any]
    sort: Sort
    descending: bool
    limit: int
    cursor: str | None

    @classmethod
    def of(cls, collection: str, values: Values) -> Query:
        """The query that parsed parameter values ask for."""
        model = COLLECTIONS[collection]
        conditions = {
            name: value for name, value in values.items() if name not in ("sort", "limit", "cursor")
        }
        name = values.get("sort", model.sorts[0].field)
        sort = next(one for one in model.sorts if one.field == name.removeprefix("-"))
        return cls(
            collection,
            conditions,
            sort,
            name.startswith("-"),
            values.get("limit", DEFAULT_LIMIT),
            values.get("cursor"),
        )


@dataclass(frozen=True, slots=True)
class Page:
    """The documents of one page.

    Attributes:
        documents: Each as JSON.
        total: How many there are on all pages.
        cursor: Where the next page begins, or None on the last one.
    """

    documents: Sequence[bytes]
    total: int
    cursor: str | None


def find_page(archive: Archive, query: Query) -> Page:
    """Select one page.

    Raises:
        InvalidParameters: The cursor is not one that this query gave under this release.
    """
    bound = _bound(query)
    rows: list[tuple[bytes, bytes]] = []
    for segment, values in _segments(archive, query):
        statement = _statement(query.collection, _shape(query), query.sort, segment)
        wanted = query.limit + 1 - len(rows)
        rows += archive.connection.execute(statement, {**bound, **values, "wanted": wanted})
        if len(rows) > query.limit:
            break
    cursor = None
    if len(rows) > query.limit:
        rows.pop()
        cursor = _cursor(archive, query, rows[-1][0].decode())
    return Page([document for _, document in rows], _total(archive, query, bound), cursor)


def find_document(archive: Archive, collection: str, name: str) -> bytes | None:
    """The document of one resource as JSON, or None where no resource has this id."""
    row = archive.connection.execute(
        f"SELECT document FROM {collection} WHERE id = ?",  # noqa: S608 - a name from COLLECTIONS
        (name,),
    ).fetchone()
    return None if row is None else row[0]


def _filter_parameter(one: Filter) -> Parameter:
    kind: Kind
    if one.choices:
        kind = Choice(one.choices)
    elif one.pattern is not None:
        kind = Text(f"a value that matches {one.pattern}", one.pattern, 100)
    else:
        kind = Text("an id: lower-case letters, digits and single hyphens", SLUG_PATTERN, 100)
    described = f"Only items whose `{one.field}` is this value, or holds it where it is a list."
    return Parameter(one.parameter, kind, f"{described} Repeat it for OR.", repeatable=True)


def _range_parameters(one: Range) -> Iterator[Parameter]:
    kind: Kind = Date() if one.kind == "date" else Integer(0, _LARGEST)
    first, last = (" (first days are compared)", " (last days are compared)")
    if one.kind == "integer":
        first = last = ""
    yield Parameter(
        f"{one.field}__gte", kind, f"Only items whose `{one.field}` is this{first} or more."
    )
    yield Parameter(
        f"{one.field}__lte", kind, f"Only items whose `{one.field}` is this{last} or less."
    )


class _Segment(NamedTuple):
    """A stretch of the order: with a key or without one, after a row or from the start."""

    null: bool = False
    after: str | None = None
    """`ties` with the last row's key, `beyond` it, or both at once (`row`)."""
    descending: bool = False


def _segments(archive: Archive, query: Query) -> Iterator[tuple[_Segment, dict[str, Any]]]:
    """The stretches of the order from the cursor on; each is one walk along an index."""
    descending = query.descending
    nulls = _Segment(null=True, descending=descending)
    if query.cursor is None:
        yield _Segment(descending=descending), {}
        if query.sort.nullable:
            yield nulls, {}
        return
    name = _opened(archive, query)
    table = query.collection
    row = archive.connection.execute(
        f"SELECT {query.sort.column} FROM {table} WHERE id = ?",  # noqa: S608 - names from the models
        (name,),
    ).fetchone()
    key = row[0].decode() if isinstance(row[0], bytes) else row[0]
    last = {"last_key": key, "last_id": name}
    if key is None:
        yield _Segment(null=True, after="ties", descending=descending), last
        return
    if query.sort.column != "id" and descending:
        yield _Segment(after="ties", descending=True), last
        yield _Segment(after="beyond", descending=True), last
    else:
        yield _Segment(after="row", descending=descending), last
    if query.sort.nullable:
        yield nulls, {}


def _shape(query: Query) -> tuple[tuple[str, bool], ...]:
    """The conditions without their values: names, and whether there are several values."""
    return tuple(
        (name, isinstance(value, list) and len(value) > 1)
        for name, value in sorted(query.conditions.items())
    )


def _bound(query: Query) -> dict[str, Any]:
    """Values of the conditions, as the statements take them."""
    bound: dict[str, Any] = {}
    for name, value in query.conditions.items():
        if isinstance(value, list):
            bound[name] = json.dumps(value) if len(value) > 1 else value[0]
        elif isinstance(value, str):
            day = first_day(value) if name.endswith("__gte") else last_day(value)
            bound[name] = day.isoformat()
        else:
            bound[name] = value
    return bound


def _total(archive: Archive, query: Query, bound: Mapping[str, Any]) -> int:
    if not query.conditions:
        return archive.counts[query.collection]
    statement = _statement(query.collection, _shape(query), None, None)
    return int(archive.connection.execute(statement, bound).fetchone()[0])


@cache
def _statement(
    collection: str,
    shape: tuple[tuple[str, bool], ...],
    sort: Sort | None,
    segment: _Segment | None,
) -> str:
    """SQL text of one shape of query: a stretch of a page, or the count where there is none."""
    table = SQLModel.metadata.tables[collection]
    conditions = [_condition(table, collection, name, several) for name, several in shape]
    statement: Select[Any]
    if sort is None or segment is None:
        statement = select(func.count()).select_from(table).where(*conditions)
    else:
        column = table.c[sort.column]
        order = [column.desc() if segment.descending else column, table.c.id]
        statement = (
            select(table.c.id, table.c.document)
            .where(*conditions, *_stretch(table, column, sort, segment))
            .order_by(*(order[:1] if sort.column == "id" else order))
            .limit(bindparam("wanted"))
            .offset(literal_column("0"))
        )
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="named")))


def _stretch(
    table: Table, column: ColumnElement[Any], sort: Sort, segment: _Segment
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


def _condition(table: Table, collection: str, name: str, several: bool) -> ColumnElement[bool]:
    model = COLLECTIONS[collection]
    field, _, bound = name.partition("__")
    if bound:
        kind = next(one.kind for one in model.ranges if one.field == field)
        edge = {"gte": "_first", "lte": "_last"}[bound] if kind == "date" else ""
        column = table.c[f"{field}{edge}"]
        return column >= bindparam(name) if bound == "gte" else column <= bindparam(name)
    one = next(one for one in model.filters if one.parameter == name)
    link = link_table(model, one.field)
    if link is None:
        return _among(table.c[one.field], name, several)
    linked = SQLModel.metadata.tables[link]
    return exists().where(
        linked.c[model.type] == table.c.id, _among(linked.c[one.parameter], name, several)
    )


def _among(column: ColumnElement[Any], name: str, several: bool) -> ColumnElement[bool]:
    if not several:
        return column == bindparam(name)
    members = func.json_each(bindparam(name)).table_valued("value")
    return column.in_(select(literal_column("value")).select_from(members))


def _signed(archive: Archive, query: Query, name: str) -> bytes:
    """Digest by which a cursor is known to be of this query, release and row."""
    canonical = [query.collection, sorted(query.conditions.items()), query.sort.field]
    content = json.dumps([*canonical, query.descending, name]).encode()
    return blake2b(content, key=bytes.fromhex(archive.release), digest_size=_DIGEST).digest()


def _cursor(archive: Archive, query: Query, name: str) -> str:
    token = _signed(archive, query, name) + name.encode()
    return urlsafe_b64encode(token).rstrip(b"=").decode()


def _opened(archive: Archive, query: Query) -> str:
    """Id of the row after which the page begins.

    Raises:
        InvalidParameters: The cursor is not one that this query gave under this release.
    """
    sent = query.cursor or ""
    try:
        name = urlsafe_b64decode(sent + "=" * (-len(sent) % 4))[_DIGEST:].decode()
    except ValueError:
        name = None
    if name is None or _cursor(archive, query, name) != sent:
        message = (
            "cursor: not one that this query gave under this release of the data. "
            "Start again without it, or follow links.next unchanged."
        )
        raise InvalidParameters([ParameterError("cursor", message)])
    return name
