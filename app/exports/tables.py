"""The record as tables: what the database file and the Data Package are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sqlmodel import SQLModel

from app.archive.archive import link_table
from app.models import RESOURCES, Citation, Document, Resource
from app.models.filters import Filter

Kind = Literal["string", "integer", "boolean", "array"]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Its name.
        kind: What it holds; an array is JSON text.
        description: What it means.
        origin: What it is in the archive, as an SQL expression.
        required: Whether it is never null.
        references: Table whose `id` it holds.
        choices: The closed set of values, where there is one.
        pattern: What a value looks like, as a regular expression.
    """

    name: str
    kind: Kind
    description: str
    origin: str
    required: bool = False
    references: str | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        name: Its name, and that of the archive's table that its rows come from.
        description: What a row is.
        columns: Its columns.
        key: Names of the columns of its primary key.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]


@cache
def tables() -> tuple[Table, ...]:
    """Every table, each after those that it refers to.

    A collection is a table of all its fields, where lists are JSON arrays. Each list of ids or of
    a closed set is a table besides, one member a row, so that it can be joined. What a citation's
    target and reference hold are columns of their own.
    """
    links = [
        _link(model, one, name)
        for model in RESOURCES
        for one in model.filters
        if (name := link_table(model, one.field)) is not None
    ]
    made = [*map(_resources, RESOURCES), _citations(), *links]
    return tuple(_ordered({table.name: table for table in made}))


def _ordered(waiting: dict[str, Table]) -> list[Table]:
    ordered: list[Table] = []
    while waiting:
        ready = [one for one in waiting.values() if not _awaited(one) & waiting.keys()]
        ordered += ready
        for table in ready:
            del waiting[table.name]
    return ordered


def _awaited(table: Table) -> set[str]:
    return {column.references for column in table.columns if column.references}


def _resources(model: type[Resource]) -> Table:
    plain = {column.name for column in SQLModel.metadata.tables[model.collection].columns}
    columns = [
        _column(
            name,
            schema,
            f'"{name}"' if name in plain else f"json_extract(document, '$.{name}')",
            _collection_of(model, name) if schema["type"] == "string" else None,
        )
        for name, schema in _fields(model, leave_out=("links",)).items()
    ]
    return Table(model.collection, _sentence(model), tuple(columns), ("id",))


def _citations() -> Table:
    fields = _fields(Citation, leave_out=("links", "target", "reference"))
    columns = [_column(name, schema, name) for name, schema in fields.items()]
    return Table("citations", _sentence(Citation), (*columns, *_QUOTED, *_REFERRED), ("id",))


_QUOTED = (
    Column("source", "string", "Source that is quoted.", "source", references="sources"),
    Column("quote", "string", "The quoted fragment, at most 80 characters.", "exact"),
    Column("quote_start", "integer", "Index of its first Unicode code point, from 0.", '"start"'),
    Column("quote_end", "integer", "Index after its last Unicode code point.", '"end"'),
)
_REFERRED = tuple(
    Column(f"reference_{name}", "string", description, f"reference_{name}")
    for name, description in (
        ("title", "What the reference of an enriched value is called."),
        ("url", "Where it is published."),
        ("license", "The terms under which its content may be used."),
    )
)


def _link(model: type[Resource], one: Filter, name: str) -> Table:
    """The table of a list's members."""
    described = model.model_fields[one.field].description or ""
    owner = Column(
        model.type, "string", f"Id of the {model.type}.", model.type, True, model.collection
    )
    member = Column(
        one.parameter,
        "string",
        described,
        one.parameter,
        required=True,
        references=_collection_of(model, one.field),
        choices=one.choices,
        pattern=one.pattern,
    )
    return Table(name, described, (owner, member), (owner.name, member.name))


def _column(name: str, schema: Json, origin: str, references: str | None = None) -> Column:
    pattern = schema.get("pattern")
    if pattern is not None and "\\x" in pattern:  # any text but control characters
        pattern = None
    return Column(
        name,
        schema["type"],
        schema["description"],
        origin,
        required=schema["required"],
        references=references,
        choices=tuple(schema.get("enum", ())),
        pattern=pattern,
    )


def _fields(model: type[Document], leave_out: tuple[str, ...]) -> dict[str, Json]:
    """The schema of each field as served: `null` is told by `required`, references are followed."""
    whole = model.model_json_schema(mode="serialization")
    fields = {}
    for name, outer in whole["properties"].items():
        if name not in leave_out:
            options = outer.get("anyOf", [outer])
            inner = next(one for one in options if one.get("type") != "null")
            if "$ref" in inner:
                inner = whole["$defs"][inner["$ref"].rpartition("/")[2]]
            described = outer.get("description") or inner["description"]
            fields[name] = {**inner, "description": described, "required": len(options) == 1}
    return fields


def _collection_of(model: type[Resource], field: str) -> str | None:
    """The collection that a field's ids are of."""
    names: Mapping[str, str] = {one.type: one.collection for one in RESOURCES}
    return names.get(model.references.get(field, ""))


def _sentence(model: type[Document]) -> str:
    return (model.__doc__ or "").partition("\n")[0]
