"""Query parameters: declared as data, parsed strictly, described in OpenAPI."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote_plus, unquote_to_bytes, urlencode

from app.models.dates import DATE_PATTERN, first_day
from app.responses.problems import InvalidParameters, ParameterError, closest_match, did_you_mean

_MAX_ERRORS = 20
"""Maximum number of errors in a response."""
_MAX_CORRECTED_BYTES = 1_000
"""Maximum length of a query that is corrected: comparing names takes time."""
_MAX_ECHO_LENGTH = 60
"""Maximum length of a name or value that is repeated in an error message."""
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_ALIASES = {
    "columns": "fields",
    "jsonl": "ndjson",
    "offset": "cursor",
    "page": "cursor",
    "page_size": "limit",
    "page_cursor": "cursor",
    "page_limit": "limit",
    "per_page": "limit",
    "query": "q",
    "search": "q",
    "select": "fields",
    "type": "resource_type",
}
"""Names that are common in other APIs, and their equivalents in this one."""
_BRACKETS = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]")
"""A parameter with brackets, as in `region[]`, `region[0]`, `amount[gte]` or `filter[region]`."""
_LIST_SEPARATORS = re.compile(r"[\s,;|\[\]\"']+")
"""What other APIs write between the values of a list, or around them; no value contains them."""


class ParameterType(Protocol):
    """A type of parameter value."""

    def parse(self, text: str) -> Any:
        """The value that `text` represents.

        Raises:
            ValueError: `text` is not valid; the message says what is expected.
        """

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the values."""

    @property
    def allowed(self) -> Sequence[str] | None:
        """The allowed values, if they are a closed set."""


@dataclass(frozen=True, slots=True)
class ChoiceType:
    """One of a closed set of strings.

    Attributes:
        allowed: The set.
        other_names: Strings that are not allowed, but clearly mean an allowed one, with that one.
    """

    allowed: Sequence[str]
    other_names: Mapping[str, str] = field(default_factory=dict)

    def parse(self, text: str) -> str:
        """`text`, if it is in the set."""
        if text not in self.allowed:
            raise ValueError(f"expected one of {', '.join(self.allowed)}")
        return text

    def schema(self) -> dict[str, Any]:
        """JSON Schema with the set as an enum."""
        return {"type": "string", "enum": list(self.allowed)}


@dataclass(frozen=True, slots=True)
class TextType:
    """A string that matches a pattern.

    Attributes:
        expected: The pattern in words, for error messages.
        pattern: Regular expression that the whole string must match, if any.
        max_length: Maximum number of characters.
    """

    expected: str
    pattern: str | None = None
    max_length: int = 200
    allowed = None

    def parse(self, text: str) -> str:
        """`text`, if it matches."""
        if len(text) > self.max_length:
            raise ValueError(f"expected at most {self.max_length} characters, found {len(text)}")
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            raise ValueError(f"expected {self.expected}")
        return text

    def schema(self) -> dict[str, Any]:
        """JSON Schema with the lengths and the pattern."""
        schema = {"type": "string", "minLength": 1, "maxLength": self.max_length}
        return schema if self.pattern is None else {**schema, "pattern": self.pattern}


@dataclass(frozen=True, slots=True)
class IntegerType:
    """An integer in plain decimal digits, between `minimum` and `maximum`."""

    minimum: int
    maximum: int
    allowed = None

    def parse(self, text: str) -> int:
        """The integer, if it is in the range."""
        expected = f"expected an integer from {self.minimum} to {self.maximum}"
        if len(text) > 20 or not _INTEGER.fullmatch(text):
            raise ValueError(expected)
        if not self.minimum <= (value := int(text)) <= self.maximum:
            raise ValueError(expected)
        return value

    def schema(self) -> dict[str, Any]:
        """JSON Schema with the range."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True, slots=True)
class DateType:
    """A date with the precision of a day, a month or a year."""

    allowed = None

    def parse(self, text: str) -> str:
        """`text`, if it is a calendar date."""
        first_day(text)
        return text

    def schema(self) -> dict[str, Any]:
        """JSON Schema with the pattern of dates."""
        return {"type": "string", "pattern": DATE_PATTERN}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter.

    Attributes:
        name: Its name in the query string.
        type: Type of its values.
        description: What it does, in Markdown.
        repeatable: Whether it may be given more than once.
        default: Value if it is not given.
        required: Whether it must be given.
        other_names: Names of no parameter that clearly mean this one.
    """

    name: str
    type: ParameterType
    description: str
    repeatable: bool = False
    default: Any = None
    required: bool = False
    other_names: Sequence[str] = ()

    def openapi(self) -> dict[str, Any]:
        """The parameter as an OpenAPI 3.1 parameter object."""
        schema = self.type.schema()
        if self.default is not None:
            schema["default"] = self.default
        if self.repeatable:
            schema = {"type": "array", "items": schema}
        # In the schema too, because generators of Python clients read descriptions from there.
        schema = {"description": self.description, **schema}
        identity = {"name": self.name, "in": "query", "required": self.required}
        serialization = {"style": "form", "explode": True} if self.repeatable else {}
        return {**identity, "description": self.description, "schema": schema, **serialization}


ParameterValues = dict[str, Any]
"""Parameter values by name: a list for a repeatable parameter, a single value otherwise."""


def split_query_string(raw: bytes) -> list[tuple[bytes, bytes]]:
    """Names and values of a query string, percent-decoded, in the order sent.

    Follows application/x-www-form-urlencoded (WHATWG URL, 5.1).
    """
    pairs = (pair.partition(b"=")[::2] for pair in raw.replace(b"+", b" ").split(b"&") if pair)
    if b"%" not in raw:
        return list(pairs)
    return [(unquote_to_bytes(name), unquote_to_bytes(value)) for name, value in pairs]


def parse_query_string(raw: bytes, parameters: Mapping[str, Parameter]) -> ParameterValues:
    """The validated values of a query string; parameters that are not given are left out.

    Raises:
        InvalidParameters: A parameter is unknown, repeated, empty, invalid or missing. All errors
            are reported at once, up to a maximum.
    """
    values: ParameterValues = {}
    errors: list[ParameterError] = []
    pairs = [
        (name.decode("utf-8", "backslashreplace"), value) for name, value in split_query_string(raw)
    ]
    for name, raw_value in pairs:
        if len(errors) >= _MAX_ERRORS:
            break
        error = _add_value(values, name, raw_value, parameters)
        if error is not None:
            errors.append(error)
    for name, parameter in parameters.items():
        if parameter.required and not any(name == sent_name for sent_name, _ in pairs):
            errors.append(ParameterError(name, f"{name} is required. {parameter.description}"))
    if errors:
        raise InvalidParameters(errors[:_MAX_ERRORS], partial(_correct, raw, parameters))
    return values


def _correct(raw: bytes, parameters: Mapping[str, Parameter]) -> str | None:
    """A query string with the closest matches of what is invalid, without what has none.

    None if the result is not valid either, as when a required parameter is missing, and for very
    long queries.
    """
    if len(raw) > _MAX_CORRECTED_BYTES:
        return None
    pairs: dict[tuple[str, str], None] = {}
    for sent_name, sent_value in split_query_string(raw):
        for name, value in _correct_pair(_text(sent_name), _text(sent_value), parameters):
            if parameters[name].repeatable or all(name != other for other, _ in pairs):
                pairs[name, value] = None
    corrected = urlencode([*pairs], errors="replace")
    try:
        parse_query_string(corrected.encode(), parameters)
    except InvalidParameters:
        return None
    return corrected


def _correct_pair(
    name: str, value: str, parameters: Mapping[str, Parameter]
) -> Iterator[tuple[str, str]]:
    """What is probably intended by a parameter: nothing, itself, or one or several others."""
    match = name if name in parameters else _suggest_parameter(name, parameters)
    if match is None:
        return
    parameter = parameters[match]
    members = _list_members(value) if parameter.repeatable else []
    for member in members if len(members) > 1 else [value]:
        try:
            parameter.type.parse(member)
            yield match, member
        except ValueError:
            suggestion = _suggest_value(member, parameter.type)
            if suggestion is not None:
                yield match, suggestion


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _add_value(
    values: ParameterValues, name: str, raw: bytes, parameters: Mapping[str, Parameter]
) -> ParameterError | None:
    """Add a value to `values`, or return the error if it is not valid."""
    parameter = parameters.get(name)
    if parameter is None:
        return _unknown_parameter(name, raw, parameters)
    if name in values and not parameter.repeatable:
        return ParameterError(name, f"{name} must not be given more than once.")
    try:
        value = parameter.type.parse(_decode(raw))
    except ValueError as error:
        return _invalid_value(parameter, raw, str(error))
    if parameter.repeatable:
        values.setdefault(name, []).append(value)
    else:
        values[name] = value
    return None


def _decode(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise ValueError("expected percent-encoded UTF-8") from None
    if not text:
        raise ValueError("expected a value (omit the parameter instead of leaving it empty)")
    return text


def _unknown_parameter(
    name: str, raw: bytes, parameters: Mapping[str, Parameter]
) -> ParameterError:
    match = _suggest_parameter(name, parameters)
    suggestion = did_you_mean(match)
    if match and "[" in name and parameters[match].repeatable:
        suggestion += _repeat_advice(match, raw.decode("utf-8", "replace"))
    allowed = f"Allowed: {', '.join(parameters)}." if parameters else "This path has no parameters."
    message = f"Unknown parameter {_quote(name)}.{suggestion} {allowed}"
    return ParameterError(_truncate(name), message, list(parameters), match)


def _suggest_parameter(name: str, parameters: Mapping[str, Parameter]) -> str | None:
    """The parameter that is probably intended by an unknown name."""
    candidates = [name]
    if brackets := _BRACKETS.fullmatch(name):
        base, inner = brackets.groups()
        candidates = [f"{base}__{inner}", f"{base}_{inner}", base, inner, name]
    for candidate in (candidate.lower() for candidate in candidates):
        for parameter in parameters.values():
            if candidate in (parameter.name, *parameter.other_names):
                return parameter.name
        if (alias := _ALIASES.get(candidate)) in parameters:
            return alias
    return closest_match(name, list(parameters))


def _invalid_value(parameter: Parameter, raw: bytes, expected: str) -> ParameterError:
    value = raw.decode("utf-8", "surrogateescape")
    match = _suggest_value(value, parameter.type)
    advice = did_you_mean(match)
    if parameter.repeatable and len(_list_members(value)) > 1:
        match, advice = None, _repeat_advice(parameter.name, value)
    message = f"{parameter.name}: {expected}; found {_quote(value)}.{advice}"
    return ParameterError(parameter.name, message, parameter.type.allowed, match)


def _suggest_value(value: str, type_: ParameterType) -> str | None:
    """The allowed value that is probably intended by an invalid one."""
    if not isinstance(type_, ChoiceType):
        return _correct_case(value, type_)
    name = value.lower()
    for other_names in (type_.other_names, _ALIASES):
        if other_names.get(name) in type_.allowed:
            return other_names[name]
    return closest_match(value, type_.allowed)


def _repeat_advice(name: str, value: str) -> str:
    """How to send several values: the first two of a list as an example."""
    members = (_truncate(member) for member in _list_members(value)[:2])
    pairs = [f"{name}={quote_plus(member, errors='replace')}" for member in members]
    if len(pairs) > 1:
        return f" Repeat the parameter for several values: {'&'.join(pairs)}"
    return f" Several values are sent without brackets: {'&'.join([*pairs, f'{name}=…'])}"


def _list_members(value: str) -> list[str]:
    """The values in a text that is written like a list."""
    return [member for member in _LIST_SEPARATORS.split(value) if member]


def _correct_case(text: str, type_: ParameterType) -> str | None:
    """The text in lower or upper case, if it is valid then."""
    if not isinstance(type_, TextType) or type_.pattern is None:
        return None
    for variant in (text.lower(), text.upper()):
        if len(variant) <= type_.max_length and re.fullmatch(type_.pattern, variant):
            return variant
    return None


def _quote(text: str) -> str:
    """The text in quotes, truncated, with control characters and invalid UTF-8 escaped."""
    return re.sub(r"(?<!\\)\\udc(..)", r"\\x\1", repr(_truncate(text)))


def _truncate(text: str) -> str:
    return text if len(text) <= _MAX_ECHO_LENGTH else f"{text[: _MAX_ECHO_LENGTH - 1]}…"


def path_parameter(name: str, description: str, examples: Sequence[str] = ()) -> dict[str, Any]:
    """A path parameter as an OpenAPI parameter object.

    Endpoints read path parameters from the request. Declared as function arguments they would be
    validated by a pydantic model, which takes a tenth of the time of a request and only checks
    that they are strings.
    """
    schema: dict[str, Any] = {"type": "string", "description": description}
    if examples:
        schema["examples"] = list(examples)
    identity = {"name": name, "in": "path", "required": True}
    return {**identity, "schema": schema, "description": description}
