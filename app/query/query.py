"""What a collection can be asked, and a request that asks it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from app.archive.archive import COLLECTIONS
from app.models import Document, Resource
from app.models.dates import first_day, last_day
from app.models.filters import Filter, Range, Sort
from app.models.text_folding import fold
from app.models.values import SLUG_PATTERN
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
_LARGEST = 2**53 - 1
_NOT_CONDITIONS = {"sort", "limit", "cursor", "include", "facet", "format"}


def limit_parameter() -> Parameter:
    """Size of a page, the same everywhere."""
    return Parameter(
        "limit",
        IntegerType(1, MAX_LIMIT),
        f"Most items on a page, from 1 to {MAX_LIMIT}, {DEFAULT_LIMIT} unless told; more is "
        "an error, never clamped.",
    )


def cursor_parameter() -> Parameter:
    """Where a page begins, the same everywhere."""
    return Parameter(
        "cursor",
        TextType("the cursor of a links.next; start again without it", r"^[A-Za-z0-9_-]+$", 200),
        "Where the page begins, as `links.next` of the page before has it. Opaque, and good for "
        "the same query under the same release of the data only.",
    )


def q_parameter(described: str) -> Parameter:
    """Words to search for, the same everywhere."""
    return Parameter(
        "q",
        TextType("words", None, MAX_Q_LENGTH),
        f"{described} Every word must occur; the last may be the beginning of one. Case and "
        "accents do not matter, and nothing in it is an operator.",
    )


@cache
def collection_parameters(collection: str) -> Mapping[str, Parameter]:
    """Every query parameter of a collection, by name, in the order they are described."""
    model = COLLECTIONS[collection]
    listed = [
        *(_filter_parameter(one) for one in model.filters),
        *(parameter for one in model.ranges for parameter in _range_parameters(one)),
    ]
    if issubclass(model, Resource):
        listed.append(q_parameter("Only items with these words in their text."))
    sorts = [name for sort in model.sorts for name in (sort.field, f"-{sort.field}")]
    listed += [
        Parameter(
            "sort",
            ChoiceType(sorts),
            "Field to sort by; `-` before it for descending. `null` comes last, ties go by `id`. "
            "Dates sort by their first day, text without case and accents.",
            default=sorts[0],
        ),
        limit_parameter(),
        cursor_parameter(),
        *_shape_parameters(model),
    ]
    return {parameter.name: parameter for parameter in listed}


@cache
def item_parameters(collection: str) -> Mapping[str, Parameter]:
    """The query parameters of a single item, by name."""
    taken = collection_parameters(collection)
    return {name: taken[name] for name in ("include",) if name in taken}


def includable_fields(model: type[Document]) -> tuple[str, ...]:
    """What `include` can name: fields that hold ids, and the citations."""
    return (*model.references, "citations") if issubclass(model, Resource) else ()


StatementShape = tuple[tuple[str, bool], ...]
"""Conditions without their values: names, and whether there are several values."""


@dataclass(frozen=True)
class Query:
    """What a list request asks for.

    Attributes:
        collection: Name of the collection.
        conditions: Values of filters, ranges and `q`, by parameter.
        sort: What to sort by.
        descending: Whether the order is reversed; `null` is last all the same.
        limit: Most items on the page; None where none was given.
        cursor: Where the page begins, as sent.
        include: Reference fields whose resources are added.
        facet: Filters whose values are counted.
        format: Name of the format asked for; None where the `Accept` header decides.
    """

    collection: str
    conditions: Mapping[str, Any]
    sort: Sort
    descending: bool
    limit: int | None = None
    cursor: str | None = None
    include: Sequence[str] = ()
    facet: Sequence[str] = ()
    format: str | None = None

    @classmethod
    def from_parameters(cls, collection: str, values: ParameterValues) -> Query:
        """The query that parsed parameter values ask for."""
        model = COLLECTIONS[collection]
        name = values.get("sort", model.sorts[0].field)
        return cls(
            collection,
            {key: value for key, value in values.items() if key not in _NOT_CONDITIONS},
            next(one for one in model.sorts if one.field == name.removeprefix("-")),
            name.startswith("-"),
            values.get("limit"),
            values.get("cursor"),
            tuple(dict.fromkeys(values.get("include", ()))),
            tuple(dict.fromkeys(values.get("facet", ()))),
            values.get("format"),
        )

    @property
    def page_size(self) -> int:
        """Most items on the page, the default where none was given."""
        return DEFAULT_LIMIT if self.limit is None else self.limit

    @cached_property
    def shape(self) -> StatementShape:
        """What decides the text of its statements."""
        return tuple(
            (name, isinstance(value, list) and len(value) > 1)
            for name, value in sorted(self.conditions.items())
        )

    @cached_property
    def bind_values(self) -> dict[str, Any]:
        """Values of the conditions, as its statements take them."""
        return {name: _bound(name, value) for name, value in self.conditions.items()}

    def reject_json_only_parameters(self, chosen: str) -> None:
        """Let no parameter pass that only JSON's envelope has room for.

        Raises:
            InvalidParameters: `include` or `facet` was given.
        """
        errors = [
            ParameterError(name, f"{name} needs format=json; {chosen} has no place for it.")
            for name in ("include", "facet")
            if getattr(self, name)
        ]
        if errors:
            raise InvalidParameters(errors)


def _bound(name: str, value: Any) -> Any:
    if name == "q":
        return match_expression(value)
    if isinstance(value, list):
        return json.dumps(value) if len(value) > 1 else value[0]
    if isinstance(value, str):
        day = first_day(value) if name.endswith("__gte") else last_day(value)
        return day.isoformat()
    return value


def match_expression(q: str) -> str:
    """User's words as an FTS5 query: each a phrase, all required, the last a prefix.

    They are folded as the index is, and quoted (SQLite FTS5, 3.1), so that nothing in them is an
    operator.
    """
    words = [word.replace('"', '""') for word in re.split(r"[\s\x00-\x1f\x7f]+", fold(q)) if word]
    return (
        " ".join(f'"{word}"' for word in words) + ("*" if words and last_word_is_prefix(q) else "")
        or '""'
    )


def _filter_parameter(one: Filter) -> Parameter:
    kind: ParameterType
    if one.choices:
        kind = ChoiceType(one.choices)
    elif one.pattern is not None:
        kind = TextType(one.expected, one.pattern, 100)
    else:
        kind = TextType("an id: lower-case letters, digits and single hyphens", SLUG_PATTERN, 100)
    described = f"Only items whose `{one.field}` is this value, or holds it where it is a list."
    return Parameter(one.parameter, kind, f"{described} Repeat it for OR.", repeatable=True)


def _range_parameters(one: Range) -> Iterator[Parameter]:
    if one.value_type == "integer":
        amount = IntegerType(0, _LARGEST)
        yield Parameter(f"{one.field}__gte", amount, f"Only items with this `{one.field}` or more.")
        yield Parameter(f"{one.field}__lte", amount, f"Only items with this `{one.field}` or less.")
    else:
        yield Parameter(
            f"{one.field}__gte",
            DateType(),
            f"Only items whose `{one.field}` is on or after this date; first days are compared.",
        )
        yield Parameter(
            f"{one.field}__lte",
            DateType(),
            f"Only items whose `{one.field}` is on or before this date; last days are compared.",
        )


def _shape_parameters(model: type[Document]) -> Iterator[Parameter]:
    """What the answer holds and looks like."""
    fields = includable_fields(model)
    if fields:
        yield Parameter(
            "include",
            ChoiceType(fields),
            "Adds the resources that a field names, or the citations, once each under `included`. "
            "Repeat it for several.",
            repeatable=True,
        )
    if model.facets():
        yield Parameter(
            "facet",
            ChoiceType(model.facets()),
            "Counts the items per value of a filter, under the same filters, under `facets`. "
            "Repeat it for several.",
            repeatable=True,
        )
    formats = [JSON, CSV, NDJSON, *([GEOJSON] if model.collection == "regions" else [])]
    yield Parameter(
        "format",
        ChoiceType([one.name for one in formats]),
        "Format of the answer; overrides `Accept`. All but `json` give the whole filtered "
        "collection unless `limit` is given.",
    )
