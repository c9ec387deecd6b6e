"""Changes between two releases: query parameters, SQL and pages.

A row of the table is one step of a value, from one release to the next. The first and the last step
between two releases give the net change of a value: none if it is what it was before.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from app.archive.archive import COLLECTIONS, Archive
from app.models.change import ChangedType, ChangeKind, change_key
from app.models.release import LATEST
from app.models.values import FIELD_EXPECTED, FIELD_PATTERN
from app.query.cursors import Position, decode_position, encode_cursor
from app.query.parameters import ChoiceType, Parameter, ParameterType, ParameterValues, TextType
from app.query.query import DEFAULT_LIMIT, cursor_parameter, limit_parameter, requires_json
from app.query.selection import ResultPage, Rows
from app.responses.formats import CSV, JSON, NDJSON
from app.responses.problems import InvalidParameters, ParameterError, closest_match, did_you_mean
from app.responses.representations import encode_json, list_body

FORMATS = (JSON, CSV, NDJSON)

_KIND = (
    "CASE WHEN old.before IS NULL THEN 'added' "
    "WHEN new.after IS NULL THEN 'removed' ELSE 'changed' END"
)
_FILTERS = {
    "type": "new.type",
    "resource": "new.resource",
    "field": "new.field",
    "kind": _KIND,
}
"""SQL expression of the values of each filter."""
_KINDS = {"created": "added", "updated": "changed", "modified": "changed", "deleted": "removed"}
"""Names of kinds of changes in other APIs."""
_FACETS = ("type", "field", "kind")
_NET_CHANGES = """
FROM changes AS new
JOIN changes AS old
    ON old.key = new.key AND old.release > :since AND old.previous <= :since
JOIN releases ON releases.position = new.changed_in
WHERE {plus}new.release > :since AND {plus}new.release <= :until AND new.next > :until
    AND old.before IS NOT new.after
"""
"""A unary plus keeps SQLite from an index (query planner documentation, "unary + operators")."""
_COLUMNS = (
    f"new.key, new.type, new.resource, new.field, {_KIND}, old.before, new.after, "
    "releases.id, old.citations_before, new.citations_after"
)
_PATHS = {model.type.encode(): f"/v1/{model.collection}/" for model in COLLECTIONS.values()}
_TEMPLATE = (
    b'{"type":"%b","resource":"%b","field":%b,"kind":"%b","before":%b,"after":%b,'
    b'"release":"%b","citations_before":%b,"citations_after":%b,"links":{"resource":%b}}'
)
_MAX_ID_LENGTH = 300


@cache
def change_parameters() -> Mapping[str, Parameter]:
    """The query parameters of the list of changes, by name."""
    release = TextType("a release", max_length=100)
    repeat = "Repeat the parameter for OR."
    types = "; `citation` for citations, `record` for the metadata of the record"
    parameters = [
        Parameter(
            "since",
            release,
            "The older release: its label, its digest, or `latest`.",
            required=True,
        ),
        Parameter(
            "until",
            release,
            "The newer release, named in the same way. By default the latest.",
        ),
        _filter(
            "type", ChoiceType(get_args(ChangedType.__value__)), f"type{types}", "resource_type"
        ),
        _filter("resource", TextType("an id", r"^[a-z0-9._-]+$", _MAX_ID_LENGTH), "resource", "id"),
        _filter("field", TextType(FIELD_EXPECTED, FIELD_PATTERN, 100), "field"),
        _filter("kind", ChoiceType(get_args(ChangeKind.__value__), _KINDS), "kind"),
        Parameter(
            "facet",
            ChoiceType(_FACETS),
            f"Adds the number of matching changes for each value of a filter to `facets`. {repeat}",
            repeatable=True,
        ),
        limit_parameter(),
        cursor_parameter(),
        Parameter(
            "format",
            ChoiceType([format_.name for format_ in FORMATS]),
            "Response format; overrides `Accept`. All formats except `json` return all matching "
            "changes unless `limit` is given.",
        ),
    ]
    return {parameter.name: parameter for parameter in parameters}


def _filter(name: str, type_: ParameterType, subject: str, *other_names: str) -> Parameter:
    description = f"Only changes with this {subject}. Repeat the parameter for OR."
    return Parameter(name, type_, description, repeatable=True, other_names=other_names)


@dataclass(frozen=True)
class ChangesQuery:
    """A request for changes.

    Attributes:
        since: Label and position of the older release.
        until: Label and position of the newer release.
        identity: All that determines the rows and their order, as JSON types. If the newer release
            is the latest, it is not part of it: a walk leads on when there is another one.
        filters: Values of each filter, by parameter.
        facet: Filters whose values are counted.
        limit: Page size; None if not given.
        cursor: Cursor as sent.
        format: Name of the requested format; None if the `Accept` header decides.
    """

    since: tuple[str, int]
    until: tuple[str, int]
    identity: Sequence[Any]
    filters: Mapping[str, Sequence[str]]
    facet: Sequence[str] = ()
    limit: int | None = None
    cursor: str | None = None
    format: str | None = None

    @classmethod
    def from_parameters(cls, archive: Archive, values: ParameterValues) -> ChangesQuery:
        """A query from parsed parameter values.

        Raises:
            InvalidParameters: A release is unknown, or they are in the wrong order.
        """
        since = _find_release(archive, "since", values["since"])
        until = _find_release(archive, "until", values.get("until", LATEST))
        if until[1] < since[1]:
            message = f"until: expected {since[0]} or a later release; found {until[0]}."
            raise InvalidParameters([ParameterError("until", message)])
        filters = {name: sorted(set(values[name])) for name in _FILTERS if name in values}
        is_open = values.get("until", LATEST) == LATEST
        return cls(
            since,
            until,
            ["changes", since[0], None if is_open else until[0], filters],
            filters,
            tuple(dict.fromkeys(values.get("facet", ()))),
            values.get("limit"),
            values.get("cursor"),
            values.get("format"),
        )

    @property
    def page_size(self) -> int:
        """Maximum number of changes on the page; the default if `limit` was not given."""
        return DEFAULT_LIMIT if self.limit is None else self.limit

    @property
    def bind_values(self) -> dict[str, Any]:
        """Values of the SQL bind parameters."""
        values: dict[str, Any] = {"since": self.since[1], "until": self.until[1]}
        if "type" in self.filters:
            keys = sorted(change_key(type_) for type_ in self.filters["type"])
            values |= {"first_key": keys[0], "last_key": f"{keys[-1]}!"}
        return values | {name: json.dumps(chosen) for name, chosen in self.filters.items()}

    def reject_facets(self, format_name: str) -> None:
        """Raise if counts were requested, which only JSON responses have.

        Raises:
            InvalidParameters: `facet` was given.
        """
        if self.facet:
            raise InvalidParameters([requires_json("facet", format_name)])

    def select(self, columns: str, rest: str = "", *, by_key: bool = False) -> str:
        """SQL that selects columns of the net changes; `by_key` reads them in order of the key."""
        conditions = "".join(
            f" AND {_FILTERS[name]} IN (SELECT value FROM json_each(:{name}))"  # noqa: S608 - names of filters
            for name in self.filters
        )
        if "type" in self.filters:
            conditions += " AND new.key BETWEEN :first_key AND :last_key"
        net_changes = _NET_CHANGES.format(plus="+" if by_key else "")
        return f"SELECT {columns} {net_changes}{conditions} {rest}"


def find_changes(
    archive: Archive, query: ChangesQuery, connection: sqlite3.Connection
) -> ResultPage:
    """The requested page.

    Raises:
        InvalidParameters: The cursor is invalid for this query.
    """
    total = archive.cached_count(connection, query.select("count(*)"), query.bind_values)
    rows = find_change_rows(query, start_key(query), query.page_size + 1, connection)
    cursor = None
    if len(rows) > query.page_size:
        rows.pop()
        position = Position(None, rows[-1][0].decode())
        cursor = encode_cursor(query.identity, position.to_bytes())
    return ResultPage(
        [change for _, change in rows], [key.decode() for key, _ in rows], total, cursor
    )


def changes_body(
    page: ResultPage,
    query: ChangesQuery,
    release: str,
    links: Mapping[str, str | None],
    facets: Mapping[str, Any] | None = None,
) -> bytes:
    """A page of changes as JSON."""
    meta = {
        "total": page.total,
        "limit": query.page_size,
        "release": release,
        "since": query.since[0],
        "until": query.until[0],
    }
    return list_body(page.documents, meta, links, facets=facets)


def find_change_rows(
    query: ChangesQuery, after: bytes, limit: int, connection: sqlite3.Connection
) -> Rows:
    """Sort keys and changes after a sort key, in order; citations come last."""
    following = "AND new.key > :after ORDER BY new.key LIMIT :limit"
    statement = query.select(_COLUMNS, following, by_key=True)
    parameters = {**query.bind_values, "after": after.decode(), "limit": limit}
    rows = connection.execute(statement, parameters)
    return [(key, _render(columns)) for key, *columns in rows]


def start_key(query: ChangesQuery) -> bytes:
    """Sort key of the change before the first one of the page; empty without a cursor.

    Raises:
        InvalidParameters: The cursor is invalid for this query.
    """
    if query.cursor is None:
        return b""
    return decode_position(query.identity, query.cursor).id.encode()


def count_change_facets(
    query: ChangesQuery, connection: sqlite3.Connection
) -> dict[str, list[dict[str, Any]]]:
    """Number of matching changes per value of each requested facet, highest count first."""
    facets = {}
    for name in query.facet:
        statement = query.select(f"{_FILTERS[name]}, count(*)", "GROUP BY 1 ORDER BY 2 DESC, 1")
        facets[name] = [
            {"value": None if value is None else value.decode(), "label": None, "count": count}
            for value, count in connection.execute(statement, query.bind_values)
        ]
    return facets


def _render(row: Sequence[Any]) -> bytes:
    """A row of `_COLUMNS`, without the key, as JSON."""
    type_, resource, field, kind, before, after, *evidence = row
    path = f"{_PATHS[type_]}{resource.decode()}" if type_ in _PATHS else "/v1/meta"
    return _TEMPLATE % (
        type_,
        resource,
        b"null" if field is None else b'"%b"' % field,
        kind,
        before or b"null",
        after or b"null",
        *evidence,
        encode_json(path),
    )


def _find_release(archive: Archive, parameter: str, name: str) -> tuple[str, int]:
    """Label and position of a release.

    Raises:
        InvalidParameters: No release has this name; the error lists all labels.
    """
    label = archive.find_release(name)
    if label is not None:
        return label, archive.position_of(label)
    names = [LATEST, *reversed([*archive.releases])]
    match = closest_match(name, names)
    message = (
        f"{parameter}: expected the digest of a release or one of {', '.join(names)}."
        f"{did_you_mean(match)}"
    )
    raise InvalidParameters([ParameterError(parameter, message, names, match)])
