"""The tables of the SQLite export and of the Data Package, derived from the models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from app.models import RESOURCE_BY_TYPE, RESOURCES, Citation, Document, Resource
from app.models.dates import DATE_PATTERN
from app.models.filters import Filter

ColumnType = Literal["string", "integer", "boolean", "date", "datetime", "array"]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: Column name.
        type: Type of the values; a date is a day, a datetime is in UTC, and an array is stored as
            JSON text.
        description: Meaning of the values.
        expression: SQL expression that selects the values from the archive's table, in which
            `first_day` and `last_day` are functions.
        required: Whether the column is NOT NULL.
        references: Table whose `id` the column refers to.
        choices: All allowed values, if they are a closed set.
        pattern: Regular expression that every value matches; only if the column is required,
            as programs that turn it into a check of a database let it fail for null.
        items: JSON Schema of the members of an array.
    """

    name: str
    type: ColumnType
    description: str
    expression: str
    required: bool = False
    references: str | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    items: Json | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the export.

    Attributes:
        name: Table name, in the export and in the archive.
        description: Meaning of a row.
        columns: Columns in order.
        key: Names of the primary key's columns.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]


@cache
def tables() -> tuple[Table, ...]:
    """Every table, ordered so that each follows those that it references.

    Each collection is a table with all its fields, in which lists are JSON arrays. Each list of
    ids, or of values from a closed set, is also a link table with one row per member, for joins.
    Each date, which is as precise as its source, is followed by its first and its last day. The
    target and the reference of a citation are flattened into columns.
    """
    links = [
        _link_table(model, filter_, name)
        for model in RESOURCES
        for filter_ in model.filters
        if (name := model.link_table(filter_.field)) is not None
    ]
    unordered = [*map(_resource_table, RESOURCES), _citation_table(), *links]
    return tuple(_sort_by_dependency({table.name: table for table in unordered}))


def _sort_by_dependency(pending: dict[str, Table]) -> list[Table]:
    ordered: list[Table] = []
    while pending:
        ready = [table for table in pending.values() if not _dependencies(table) & pending.keys()]
        ordered += ready
        for table in ready:
            del pending[table.name]
    return ordered


def _dependencies(table: Table) -> set[str]:
    return {column.references for column in table.columns if column.references}


def _resource_table(model: type[Resource]) -> Table:
    columns: list[Column] = []
    for name, schema in _field_schemas(model, exclude=("links",)).items():
        references = _referenced_collection(model, name) if schema["type"] == "string" else None
        columns.append(_column(name, schema, f"json_extract(document, '$.{name}')", references))
        if schema.get("pattern") == DATE_PATTERN:
            columns += _day_columns(columns[-1])
    return Table(model.collection, _docstring_summary(model), tuple(columns), ("id",))


def _day_columns(column: Column) -> list[Column]:
    """The first and the last day of a date that may be a month or a year."""
    return [
        Column(
            f"{column.name}_{end}",
            "date",
            f"{end.capitalize()} day of `{column.name}`.",
            f"{end}_day({column.expression})",
            required=column.required,
        )
        for end in ("first", "last")
    ]


def _citation_table() -> Table:
    fields = _field_schemas(Citation, exclude=("links", "target", "reference"))
    columns = [_column(name, schema, name) for name, schema in fields.items()]
    return Table(
        "citations",
        _docstring_summary(Citation),
        (*columns, *_TARGET_COLUMNS, *_REFERENCE_COLUMNS),
        ("id",),
    )


_TARGET_COLUMNS = (
    Column("source", "string", "Quoted source.", "source", references="sources"),
    Column("quote", "string", "Quoted text, at most 80 characters.", "exact"),
    Column("quote_start", "integer", "Index of the first Unicode code point, from 0.", '"start"'),
    Column("quote_end", "integer", "Index after the last Unicode code point.", '"end"'),
    Column("quote_prefix", "string", "Text before a quote that is not unique.", "prefix"),
    Column("quote_suffix", "string", "Text after a quote that is not unique.", "suffix"),
)
_REFERENCE_COLUMNS = tuple(
    Column(f"reference_{name}", "string", description, f"reference_{name}")
    for name, description in (
        ("title", "Title of the publication that an enriched value is from."),
        ("url", "URL of the publication."),
        ("license", "License of the publication's content."),
    )
)


def _link_table(model: type[Resource], filter_: Filter, name: str) -> Table:
    """The link table of a list field: one row per member."""
    description = model.model_fields[filter_.field].description or ""
    owner = Column(
        model.type, "string", f"Id of the {model.type}.", model.type, True, model.collection
    )
    member = Column(
        filter_.parameter,
        "string",
        description,
        filter_.parameter,
        required=True,
        references=_referenced_collection(model, filter_.field),
        choices=filter_.choices,
        pattern=filter_.pattern,
    )
    return Table(name, description, (owner, member), (owner.name, member.name))


def _column(name: str, schema: Json, expression: str, references: str | None = None) -> Column:
    pattern = schema.get("pattern") if schema["required"] else None
    if pattern is not None and "\\x" in pattern:  # any text but control characters
        pattern = None
    is_datetime = schema.get("format") == "date-time"
    return Column(
        name,
        "datetime" if is_datetime else schema["type"],
        schema["description"],
        expression,
        required=schema["required"],
        references=references,
        choices=tuple(schema.get("enum", ())),
        pattern=pattern,
        items=schema.get("items"),
    )


def _field_schemas(model: type[Document], exclude: tuple[str, ...]) -> dict[str, Json]:
    """JSON Schema of each field, with `$ref` resolved and nullability given by `required`."""
    schema = model.model_json_schema(mode="serialization")
    definitions = schema.pop("$defs", {})
    fields = {}
    for name, field in _resolved(schema, definitions)["properties"].items():
        if name not in exclude:
            options = field.get("anyOf", [field])
            value = next(option for option in options if option.get("type") != "null")
            description = field.get("description") or value["description"]
            fields[name] = {**value, "description": description, "required": len(options) == 1}
    return fields


def _resolved(schema: Any, definitions: Mapping[str, Json]) -> Any:
    """A JSON Schema in which each `$ref` is replaced by what it refers to."""
    if isinstance(schema, list):
        return [_resolved(member, definitions) for member in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        others = {name: value for name, value in schema.items() if name != "$ref"}
        return _resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions) | others
    return {name: _resolved(value, definitions) for name, value in schema.items()}


def _referenced_collection(model: type[Resource], field: str) -> str | None:
    """The collection that the ids in a field belong to."""
    target = RESOURCE_BY_TYPE.get(model.references.get(field, ""))
    return None if target is None else target.collection


def _docstring_summary(model: type[Document]) -> str:
    return (model.__doc__ or "").partition("\n")[0]
