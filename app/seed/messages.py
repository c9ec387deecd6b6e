"""What a value of the seed should be, in plain words, from the errors of pydantic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.models.values import EXPECTED_BY_PATTERN
from app.seed.errors import Issue, format_value
from app.seed.reader import escape_pointer

Context = Mapping[str, Any]
_FILLED_IN = {"source", "start", "end", "sha256", "bytes", "characters"}
"""Fields that a copy of the page gives the values of."""
FILLED_IN_BY_CITE = "a value, which cpc-record cite fills in"
"""What one of these fields should be."""


def validation_issues(
    error: ValidationError, model: type[BaseModel], entry: Any, pointer: str
) -> Iterator[Issue]:
    """Every error of a value that its model rejected.

    Args:
        error: The errors.
        model: The model.
        entry: The value.
        pointer: JSON pointer to the value.
    """
    for detail in error.errors(include_url=False):
        error_pointer = _pointer_to(detail["loc"], entry, pointer)
        context = detail.get("ctx", {})
        match detail["type"]:
            case "missing":
                yield Issue(error_pointer, "nothing", _missing(model, detail["loc"]))
            case "union_tag_invalid":
                yield Issue(f"{error_pointer}/basis", format_value(context["tag"]), _tags(context))
            case "union_tag_not_found":
                yield Issue(f"{error_pointer}/basis", "nothing", "a basis, such as stated")
            case _:
                expected = _expected(detail)
                if detail["input"] == "" and _is_nullable(model, detail["loc"]):
                    instead = "null" if len(detail["loc"]) == 1 else "null in place of the list"
                    expected += f", or {instead} if the source gives none"
                yield Issue(error_pointer, format_value(detail["input"]), expected)


def _expected(detail: ErrorDetails) -> str:
    context, error_type = detail.get("ctx", {}), detail["type"]
    if error_type in _EXPECTED:
        return _EXPECTED[error_type](context)
    message = detail["msg"].removeprefix("Value error, ")
    return (message[:1].lower() + message[1:]).removeprefix("expected ")


def _missing(model: type[BaseModel], location: Sequence[str | int]) -> str:
    """What a missing key should be; only fields of a resource itself may be null."""
    if location[-1] in _FILLED_IN:
        return FILLED_IN_BY_CITE
    nullable = len(location) == 1 and _is_nullable(model, location)
    return "a value (null if the source gives none)" if nullable else "a value"


def _is_nullable(model: type[BaseModel], location: Sequence[str | int]) -> bool:
    """Whether the field that a location is in may be null."""
    field = model.model_fields.get(str(location[0])) if location else None
    return field is not None and NoneType in get_args(field.annotation)


def _tags(context: Context) -> str:
    return f"one of {context['expected_tags']}".replace("'", '"')


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _pattern(context: Context) -> str:
    pattern = context["pattern"]
    return EXPECTED_BY_PATTERN.get(pattern, f"text of the pattern {pattern}")


_EXPECTED: Mapping[str, Callable[[Context], str]] = {
    "extra_forbidden": lambda _: "no such key",
    "string_type": lambda _: "text, in double quotes",
    "string_unicode": lambda _: "valid Unicode text, without lone surrogates",
    "int_type": lambda _: "an integer",
    "int_from_float": lambda _: "an integer",
    "bool_type": lambda _: "true or false",
    "list_type": lambda _: "a list",
    "dict_type": lambda _: "an object",
    "model_type": lambda _: "an object",
    "model_attributes_type": lambda _: "an object",
    "literal_error": lambda context: context["expected"].replace("'", '"'),
    "string_pattern_mismatch": _pattern,
    "string_too_short": lambda context: f"at least {_count(context['min_length'], 'character')}",
    "string_too_long": lambda context: f"at most {_count(context['max_length'], 'character')}",
    "too_short": lambda context: f"at least {_count(context['min_length'], 'item')}",
    "greater_than_equal": lambda context: f"a number not less than {context['ge']}",
    "less_than_equal": lambda context: f"a number not greater than {context['le']}",
}
"""Description of a valid value, by the type of pydantic's error."""


def _pointer_to(location: Sequence[str | int], entry: Any, pointer: str) -> str:
    """The JSON pointer of an error's location, without steps that are not in the data.

    Pydantic's location also names the chosen member of a union.
    """
    value = entry
    for step in location:
        exists = isinstance(value, dict) and step in value
        exists = exists or (isinstance(value, list) and isinstance(step, int))
        if exists or step == location[-1]:
            pointer += f"/{escape_pointer(str(step))}"
        if exists:
            value = value[step]
    return pointer
