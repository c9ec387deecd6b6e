"""Query parameters: declared as data, read strictly, described to OpenAPI."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from app.models.dates import DATE_EXPECTED, DATE_PATTERN, first_day
from app.responses.problems import InvalidParameters, ParameterError, closest_match

_MOST_ERRORS = 20
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_SHOWN = 60
_ELSEWHERE = {
    "jsonl": "ndjson",
    "offset": "cursor",
    "page": "cursor",
    "page_size": "limit",
    "per_page": "limit",
}
"""What other APIs call it, and what it is called here."""


class ParameterType(Protocol):
    """A type of parameter value."""

    def read(self, text: str) -> Any:
        """The value that `text` stands for.

        Raises:
            ValueError: It stands for none; the message says what is expected.
        """

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the values."""

    @property
    def allowed(self) -> Sequence[str] | None:
        """The closed set of values, where there is one."""


@dataclass(frozen=True, slots=True)
class ChoiceType:
    """One of a closed set of strings."""

    allowed: Sequence[str]

    def read(self, text: str) -> str:
        """`text`, if it is in the set."""
        if text not in self.allowed:
            raise ValueError(f"expected one of {', '.join(self.allowed)}")
        return text

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the set."""
        return {"type": "string", "enum": list(self.allowed)}


@dataclass(frozen=True, slots=True)
class TextType:
    """A string of bounded length, of a given shape."""

    expected: str
    pattern: str | None = None
    longest: int = 200
    allowed = None

    def read(self, text: str) -> str:
        """`text`, if it has the shape."""
        if len(text) > self.longest:
            raise ValueError(f"expected at most {self.longest} characters, found {len(text)}")
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            raise ValueError(f"expected {self.expected}")
        return text

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the shape."""
        schema = {"type": "string", "minLength": 1, "maxLength": self.longest}
        return schema if self.pattern is None else {**schema, "pattern": self.pattern}


@dataclass(frozen=True, slots=True)
class IntegerType:
    """A whole number in plain decimal digits, within bounds."""

    minimum: int
    maximum: int
    allowed = None

    def read(self, text: str) -> int:
        """The number, if it is within the bounds."""
        expected = f"expected a whole number from {self.minimum} to {self.maximum}"
        if len(text) > 20 or not _INTEGER.fullmatch(text):
            raise ValueError(expected)
        if not self.minimum <= (value := int(text)) <= self.maximum:
            raise ValueError(expected)
        return value

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the numbers."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True, slots=True)
class DateType:
    """A date at the precision of a day, a month or a year."""

    allowed = None

    def read(self, text: str) -> str:
        """`text`, if it is in the calendar."""
        first_day(text)
        return text

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the dates."""
        return {
            "type": "string",
            "pattern": DATE_PATTERN,
            "description": f"Expected {DATE_EXPECTED}.",
        }


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter.

    Attributes:
        name: Its name.
        type: Type of its values.
        description: What it does, in Markdown.
        repeatable: Whether it may stand more than once.
        required: Whether it must be given.
        default: The value where it is not given.
    """

    name: str
    type: ParameterType
    description: str
    repeatable: bool = False
    default: Any = None
    required: bool = False

    def openapi(self) -> dict[str, Any]:
        """The parameter as an OpenAPI 3.1 parameter object."""
        schema = self.type.schema()
        if self.default is not None:
            schema["default"] = self.default
        if self.repeatable:
            schema = {"type": "array", "items": schema}
        schema = {"description": self.description, **schema}  # where Python clients look for it
        described = {"description": self.description, "schema": schema}
        shape = {"style": "form", "explode": True} if self.repeatable else {}
        named = {"name": self.name, "in": "query", "required": self.required}
        return {**named, **described, **shape}


ParameterValues = dict[str, Any]
"""Parameter values by name: a list for a repeatable parameter, one value otherwise."""


def split_query_string(raw: bytes) -> list[tuple[bytes, bytes]]:
    """Names and values of a query string, percent-decoded, in the order sent.

    Follows application/x-www-form-urlencoded (WHATWG URL, 5.1).
    """
    pairs = (pair.partition(b"=")[::2] for pair in raw.replace(b"+", b" ").split(b"&") if pair)
    if b"%" not in raw:
        return list(pairs)
    return [(unquote_to_bytes(name), unquote_to_bytes(value)) for name, value in pairs]


def parse_query_string(raw: bytes, parameters: Mapping[str, Parameter]) -> ParameterValues:
    """The values of a query string; absent parameters are left out.

    Raises:
        InvalidParameters: A parameter is unknown, repeated, empty or mistyped. All are named.
    """
    values: ParameterValues = {}
    errors: list[ParameterError] = []
    pairs = [
        (name.decode("utf-8", "backslashreplace"), value) for name, value in split_query_string(raw)
    ]
    for name, raw_value in pairs:
        if len(errors) >= _MOST_ERRORS:
            break
        parameter = parameters.get(name)
        if parameter is None:
            errors.append(_unknown(name, parameters))
        elif name in values and not parameter.repeatable:
            errors.append(ParameterError(name, f"{name} is given more than once; give it once."))
        else:
            try:
                value = parameter.type.read(_text(raw_value))
            except ValueError as error:
                errors.append(_mistyped(parameter, raw_value, str(error)))
                continue
            if parameter.repeatable:
                values.setdefault(name, []).append(value)
            else:
                values[name] = value
    for name, parameter in parameters.items():
        if parameter.required and not any(name == sent for sent, _ in pairs):
            errors.append(ParameterError(name, f"{name} is required. {parameter.description}"))
    if errors:
        raise InvalidParameters(errors[:_MOST_ERRORS])
    return values


def _text(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise ValueError("expected percent-encoded UTF-8") from None
    if not text:
        raise ValueError("expected a value; leave the parameter out to do without it")
    return text


def _unknown(name: str, parameters: Mapping[str, Parameter]) -> ParameterError:
    takes = f"takes {', '.join(parameters)}" if parameters else "takes no parameters"
    meant = _meant(name, list(parameters))
    hint = f" Did you mean {meant}?" if meant else ""
    message = (
        f"{_cut(name) or 'An empty name'} is not a parameter of this path, which {takes}.{hint}"
    )
    return ParameterError(_cut(name), message, list(parameters), meant)


def _mistyped(parameter: Parameter, raw: bytes, expected: str) -> ParameterError:
    found = raw.decode("utf-8", "surrogateescape")
    message = f"{parameter.name}: {expected}; found {_written(found)}."
    allowed = parameter.type.allowed
    meant = _meant(found, allowed) if allowed else _in_other_case(found, parameter.type)
    return ParameterError(parameter.name, message, allowed, meant)


def _meant(name: str, allowed: Sequence[str]) -> str | None:
    known = _ELSEWHERE.get(name.lower())
    return known if known in allowed else closest_match(name, allowed)


def _in_other_case(text: str, kind: ParameterType) -> str | None:
    """The text in small letters or in capitals, where it would then be right."""
    if not isinstance(kind, TextType) or kind.pattern is None:
        return None
    right = re.compile(kind.pattern)
    cased = (text.lower(), text.upper())
    return next((one for one in cased if len(one) <= kind.longest and right.fullmatch(one)), None)


def _written(text: str) -> str:
    """The text in quotes; control characters, and bytes that are no UTF-8, by their numbers."""
    return re.sub(r"(?<!\\)\\udc(..)", r"\\x\1", repr(_cut(text)))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def path_parameter(name: str, description: str, examples: Sequence[str] = ()) -> dict[str, Any]:
    """A part of a path as OpenAPI declares it.

    Endpoints read it from the request: a parameter of the function would be checked by a model,
    which costs a request a tenth of its time and tells no more than that it is a string.
    """
    schema: dict[str, Any] = {"type": "string", "description": description}
    if examples:
        schema["examples"] = list(examples)
    schema["title"] = name.capitalize()
    told = {"name": name, "in": "path", "required": True}
    return {**told, "schema": schema, "description": description}
