"""The query parameters of each collection, and list requests parsed from them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from app.archive.archive import LISTS
from app.models import RESOURCE_BY_TYPE, Document, Resource
from app.models.dates import first_day, last_day
from app.models.filters import Filter, Range, Sort
from app.models.text_folding import fold
from app.models.values import SLUG_PATTERN
from app.query.cursors import MAX_CURSOR_LENGTH
from app.query.parameters import (
    ChoiceType,
    DateType,
    IntegerType,
    Parameter,
    ParameterType,
    ParameterValues,
    TextType,
)
from app.query.snippets import last_word_is_prefix
from app.responses.formats import CSV, GEOJSON, JSON, NDJSON
from app.responses.problems import InvalidParameters, ParameterError

DEFAULT_LIMIT = 200
MAX_LIMIT = 1_000
MAX_Q_LENGTH = 200
_MAX_INTEGER = 2**53 - 1
"""Largest integer that every JSON parser reads exactly (RFC 8259, 6)."""
_NON_FILTER_PARAMETERS = {"sort", "limit", "cursor", "include", "facet", "fields", "format"}


def limit_parameter() -> Parameter:
    """`limit`, the page size."""
    return Parameter(
        "limit",
        IntegerType(1, MAX_LIMIT),
        f"Page size, 1 to {MAX_LIMIT:,} (default {DEFAULT_LIMIT}). Larger values are rejected.",
    )


def cursor_parameter() -> Parameter:
    """`cursor`, the start of the page."""
    expected = "a cursor from links.next (omit it to start again from the first page)"
    return Parameter(
        "cursor",
        TextType(expected, r"^[A-Za-z0-9_-]+$", MAX_CURSOR_LENGTH),
        "Start of the page, from `links.next` of the previous page. Opaque; valid only with the "
        "same filters and the same sort. It stays valid when the data is corrected: "
        "`meta.release` in each page tells whether that happened in between.",
    )


def q_parameter(description: str) -> Parameter:
    """`q`, the words of a full-text search; the rules are added to the description."""
    return Parameter(
        "q",
        TextType("words", None, MAX_Q_LENGTH),
        f"{description} Every word must occur; the last one also matches as a prefix. Case and "
        "accents are ignored, and there are no operators.",
    )


@cache
def collection_parameters(collection: str) -> Mapping[str, Parameter]:
    """Query parameters of a collection by name, in the order of the documentation."""
    model = LISTS[collection]
    parameters = [
        *(_filter_parameter(model, filter_) for filter_ in model.all_filters()),
        *(parameter for range_ in model.ranges for parameter in _range_parameters(range_)),
    ]
    if issubclass(model, Resource):
        parameters.append(q_parameter("Only items that contain these words."))
    parameters += [
        _sort_parameter(model),
        limit_parameter(),
        cursor_parameter(),
        *_representation_parameters(model),
    ]
    return {parameter.name: parameter for parameter in parameters}


@cache
def item_parameters(collection: str) -> Mapping[str, Parameter]:
    """Query parameters of a single item, by name."""
    parameters = collection_parameters(collection)
    return {name: parameters[name] for name in ("include", "fields") if name in parameters}


def includable_fields(model: type[Document]) -> tuple[str, ...]:
    """Values of `include`: the fields that reference other resources, and `citations`."""
    return (*model.references, "citations") if issubclass(model, Resource) else ()


FilterSignature = tuple[tuple[str, bool], ...]
"""Names of conditions, each with whether it has several values: what their SQL depends on."""


@dataclass(frozen=True)
class Query:
    """A list request.

    Attributes:
        collection: Name of the collection.
        conditions: What items must match: values of filters, ranges and `q`, by parameter.
        sort: Field to sort by.
        descending: Whether the order is reversed; `null` is last either way.
        limit: Page size; None if not given.
        cursor: Cursor as sent.
        include: Reference fields whose resources are added.
        facet: Filters whose values are counted.
        fields: Members of the documents that are returned; all if empty.
        format: Name of the requested format; None if the `Accept` header decides.
    """

    collection: str
    conditions: Mapping[str, Any]
    sort: Sort
    descending: bool
    limit: int | None = None
    cursor: str | None = None
    include: Sequence[str] = ()
    facet: Sequence[str] = ()
    fields: frozenset[str] = frozenset()
    format: str | None = None

    @classmethod
    def from_parameters(cls, collection: str, values: ParameterValues) -> Query:
        """A query from parsed parameter values."""
        model = LISTS[collection]
        sort_value = values.get("sort") or default_sort(model)
        field = sort_value.removeprefix("-")
        return cls(
            collection,
            {name: value for name, value in values.items() if name not in _NON_FILTER_PARAMETERS},
            next(sort for sort in model.sorts if sort.field == field),
            sort_value.startswith("-"),
            values.get("limit"),
            values.get("cursor"),
            tuple(dict.fromkeys(values.get("include", ()))),
            tuple(dict.fromkeys(values.get("facet", ()))),
            selected_fields(values),
            values.get("format"),
        )

    @property
    def page_size(self) -> int:
        """Maximum number of items on the page; the default if `limit` was not given."""
        return DEFAULT_LIMIT if self.limit is None else self.limit

    @cached_property
    def signature(self) -> FilterSignature:
        """The conditions without their values; queries with the same signature share their SQL."""
        return tuple(
            (name, isinstance(value, list) and len(value) > 1)
            for name, value in sorted(self.conditions.items())
        )

    @property
    def identity(self) -> list[Any]:
        """All that determines the rows and their order, as JSON types."""
        conditions = [
            [name, sorted(set(value)) if isinstance(value, list) else value]
            for name, value in sorted(self.conditions.items())
        ]
        return [self.collection, conditions, self.sort.field, self.descending]

    @cached_property
    def bind_values(self) -> dict[str, Any]:
        """Values of the conditions as SQL bind parameters."""
        return {name: _bind_value(name, value) for name, value in self.conditions.items()}

    def reject_unsupported_parameters(self, format_name: str) -> None:
        """Raise if a parameter was given that a format other than JSON does not support.

        Raises:
            InvalidParameters: `include` or `facet` was given, or for CSV a field without a column.
        """
        errors = [
            requires_json(name, format_name) for name in ("include", "facet") if getattr(self, name)
        ]
        if format_name == CSV.name and "links" in self.fields:
            errors.append(ParameterError("fields", "fields: csv has no column for links; omit it."))
        if errors:
            raise InvalidParameters(errors)


def requires_json(parameter: str, format_name: str) -> ParameterError:
    """The error for a parameter that only JSON responses support."""
    message = f"{parameter} requires format=json; {format_name} does not support it."
    return ParameterError(parameter, message)


def selected_fields(values: ParameterValues) -> frozenset[str]:
    """The fields named by `fields`, with `id`; empty if the parameter was not given."""
    return frozenset({"id", *values["fields"]}) if "fields" in values else frozenset()


def _bind_value(name: str, value: Any) -> Any:
    if name == "q":
        return match_expression(value)
    if isinstance(value, list):
        return json.dumps(value) if len(value) > 1 else value[0]
    if isinstance(value, str):
        day = first_day(value) if name.endswith("__gte") else last_day(value)
        return day.isoformat()
    return value


def match_expression(q: str) -> str:
    """User input as an FTS5 query: every word required, the last one a prefix.

    Words are folded like the index and quoted as strings (SQLite FTS5, 3.1), so that no input has
    the effect of an operator.
    """
    words = [word.replace('"', '""') for word in re.split(r"[\s\x00-\x1f\x7f]+", fold(q)) if word]
    if not words:
        return '""'
    prefix = "*" if last_word_is_prefix(q) else ""
    return " ".join(f'"{word}"' for word in words) + prefix


def _filter_parameter(model: type[Document], filter_: Filter) -> Parameter:
    type_: ParameterType
    if filter_.choices:
        type_ = ChoiceType(filter_.choices)
    elif filter_.pattern is not None:
        type_ = TextType(filter_.expected, filter_.pattern, filter_.max_length)
    else:
        expected = "an id: lowercase letters, digits and single hyphens"
        type_ = TextType(expected, SLUG_PATTERN, filter_.max_length)
    relation = "contains" if model.link_table(filter_.field) else "is"
    description = (
        f"Only items whose `{filter_.field}` {relation} this value. Repeat the parameter for OR."
    )
    other_names = _names_of_target(model, filter_.field)
    return Parameter(
        filter_.parameter, type_, description, repeatable=True, other_names=other_names
    )


def _names_of_target(model: type[Document], field: str) -> tuple[str, ...]:
    """Type and collection that a field references; empty for other fields."""
    type_ = model.references.get(field) if issubclass(model, Resource) else None
    return () if type_ is None else (type_, RESOURCE_BY_TYPE[type_].collection)


def _by_target(model: type[Document], names: Mapping[str, str]) -> dict[str, str]:
    """The first name for each type and collection that its field references.

    Args:
        model: The model with the fields.
        names: Names of parameters or of values, each with its field.
    """
    result: dict[str, str] = {}
    for name, field in names.items():
        for target in _names_of_target(model, field):
            result.setdefault(target, name)
    return result


def _range_parameters(range_: Range) -> Iterator[Parameter]:
    gte, lte = f"{range_.field}__gte", f"{range_.field}__lte"
    subject = f"Only items whose `{range_.field}` is"
    if range_.value_type == "integer":
        amount = IntegerType(0, _MAX_INTEGER)
        yield Parameter(gte, amount, f"{subject} this number or greater.")
        yield Parameter(lte, amount, f"{subject} this number or less.")
    else:
        period = (
            "A date such as 2024-02 counts as the whole month and must lie entirely in the range."
        )
        yield Parameter(gte, DateType(), f"{subject} on or after this date. {period}")
        yield Parameter(lte, DateType(), f"{subject} on or before this date. {period}")


def _sort_parameter(model: type[Document]) -> Parameter:
    values = [value for sort in model.sorts for value in (sort.field, f"-{sort.field}")]
    return Parameter(
        "sort",
        ChoiceType(values),
        "Field to sort by. Prefix with `-` to sort in descending order. `null` is always last; "
        "ties are sorted by `id`. Dates sort by their first day, text without case and accents, "
        "amounts by their number, whatever the currency.",
        default=default_sort(model),
    )


def default_sort(model: type[Document]) -> str:
    """Value of `sort` if it is not given."""
    return model.default_sort or model.sorts[0].field


def _representation_parameters(model: type[Document]) -> Iterator[Parameter]:
    """Parameters for the content and format of the response."""
    fields = includable_fields(model)
    if fields:
        yield Parameter(
            "include",
            ChoiceType(fields, _by_target(model, {field: field for field in fields})),
            "Adds the resources that a field references, or the citations, to `included`, each "
            "once. Repeat the parameter for several fields.",
            repeatable=True,
        )
    if model.facets():
        filters = {filter_.parameter: filter_.field for filter_ in model.all_filters()}
        yield Parameter(
            "facet",
            ChoiceType(model.facets(), _by_target(model, filters)),
            "Adds the number of matching items for each value of a filter to `facets`. Repeat the "
            "parameter for several filters.",
            repeatable=True,
        )
    yield Parameter(
        "fields",
        ChoiceType(model.document_fields()),
        "Returns only these fields of each item, and always `id`, in the usual order. Repeat the "
        "parameter for several fields. The others are then absent, although the schema of the item "
        "requires them.",
        repeatable=True,
    )
    formats = [JSON, CSV, NDJSON, *([GEOJSON] if model.collection == "regions" else [])]
    yield Parameter(
        "format",
        ChoiceType([format_.name for format_ in formats]),
        "Response format; overrides `Accept`. All formats except `json` return the whole filtered "
        "collection unless `limit` is given.",
    )
