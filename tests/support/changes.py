"""Differences between two OpenAPI documents of a read-only API, classified by effect on clients.

A client sends requests that the old document allows and reads responses that it describes, or is
generated from it, so the names of operations, tags and schemas count. If the effect of a change
cannot be determined, the change counts as breaking.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, NamedTuple

Json = dict[str, Any]


class ChangeKind(StrEnum):
    """Effect of a change on clients."""

    BREAKING = "breaking"
    ADDITIVE = "additive"
    EDITORIAL = "editorial"


class Change(NamedTuple):
    """A difference between two documents."""

    kind: ChangeKind
    location: str
    description: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.location}: {self.description}"


Changes = Iterator[Change]

_TEXT_KEYS = {
    "description",
    "summary",
    "title",
    "example",
    "examples",
    "deprecated",
    "externalDocs",
}
_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
_TYPES = {"null", "boolean", "object", "array", "number", "integer", "string"}
_LOWER_BOUNDS = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_UPPER_BOUNDS = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
_CONSTRAINTS = {*_LOWER_BOUNDS, *_UPPER_BOUNDS, "pattern", "format", "multipleOf", "uniqueItems"}
_ALTERNATIVES = {"type", "enum", "const", "anyOf", "oneOf"}
_SUBSCHEMAS = {"properties", "required", "items", "additionalProperties"}
_SCHEMA_REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')


def compare(old: Json, new: Json) -> list[Change]:
    """All changes, breaking ones first."""
    before, after = old.get("components", {}), new.get("components", {})
    sent, received = (
        _schemas_used_in(old, part) | _schemas_used_in(new, part)
        for part in ("parameters", "responses")
    )

    def compare_named_schemas(old: Any, new: Any, location: str) -> Changes:
        name = location.removeprefix("schema ")
        if name in sent:
            yield from _schema(old, new, location, sent=True)
        if name in received or name not in sent:
            yield from _schema(old, new, location, sent=False)

    changes = [
        *_other_members(old, new, "document", {"paths", "components"}, {"info", "tags"}),
        *_named_members(old["paths"], new["paths"], "path", _path),
        *_other_members(before, after, "components", {"schemas"}),
        *_named_members(
            before.get("schemas", {}), after.get("schemas", {}), "schema", compare_named_schemas
        ),
    ]
    return sorted(dict.fromkeys(changes), key=lambda change: list(ChangeKind).index(change.kind))


def breaking_changes(old: Json, new: Json) -> list[Change]:
    """The changes that break clients. There are none if a new version replaces all old ones."""
    before, after = _versions(old), _versions(new)
    if before and after and min(after) > max(before):
        return []
    return [change for change in compare(old, new) if change.kind is ChangeKind.BREAKING]


def _versions(document: Json) -> set[int]:
    """The API versions in the paths."""
    matches = (re.match(r"/v(\d+)(?:/|$)", path) for path in document["paths"])
    return {int(match[1]) for match in matches if match}


def _schemas_used_in(document: Json, part: str) -> set[str]:
    """Names of the schemas that a part of the operations refers to, directly or indirectly."""
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    text = json.dumps([operation.get(part) for operation in operations])
    names: set[str] = set()
    while new_names := set(_SCHEMA_REFERENCE.findall(text)) - names:
        names |= new_names
        text = json.dumps([document["components"]["schemas"].get(name) for name in new_names])
    return names


def _named_members(
    old: Json, new: Json, location: str, compare_member: Callable[[Any, Any, str], Changes]
) -> Changes:
    """Changes of named members: removing one is breaking, adding one is additive."""
    for name in sorted({*old, *new}):
        if name not in new:
            yield Change(ChangeKind.BREAKING, f"{location} {name}", "removed")
        elif name not in old:
            yield Change(ChangeKind.ADDITIVE, f"{location} {name}", "added")
        else:
            yield from compare_member(old[name], new[name], f"{location} {name}")


def _other_members(
    old: Json, new: Json, location: str, excluded: set[str], text_keys: set[str] = _TEXT_KEYS
) -> Changes:
    """Changes of all members not compared elsewhere: texts are editorial, others breaking."""
    for key in sorted({*old, *new} - excluded):
        if old.get(key) != new.get(key):
            kind = ChangeKind.EDITORIAL if key in text_keys else ChangeKind.BREAKING
            yield Change(kind, location, f"{key} changed")


def _range_changes(location: str, subject: str, narrower: bool, wider: bool, sent: bool) -> Changes:
    """Changes of a set of values: requests must not get narrower, responses not wider."""
    if narrower:
        kind = ChangeKind.BREAKING if sent else ChangeKind.ADDITIVE
        yield Change(kind, location, f"{subject} narrower")
    if wider:
        kind = ChangeKind.ADDITIVE if sent else ChangeKind.BREAKING
        yield Change(kind, location, f"{subject} wider")


def _path(old: Json, new: Json, location: str) -> Changes:
    yield from _other_members(old, new, location, _METHODS)
    before, after = (
        {method: path[method] for method in path if method in _METHODS} for path in (old, new)
    )
    yield from _named_members(before, after, location, _operation)


def _operation(old: Json, new: Json, location: str) -> Changes:
    yield from _other_members(old, new, location, {"parameters", "responses"})
    before, after = (
        {
            f"{parameter['in']} {parameter['name']}": parameter
            for parameter in operation.get("parameters", [])
        }
        for operation in (old, new)
    )
    required = {
        f"{location} parameter {name}"
        for name, parameter in after.items()
        if parameter.get("required")
    }
    for change in _named_members(before, after, f"{location} parameter", _parameter):
        if change.description == "added" and change.location in required:
            yield change._replace(kind=ChangeKind.BREAKING, description="added and required")
        else:
            yield change
    yield from _named_members(old["responses"], new["responses"], f"{location} response", _response)


def _parameter(old: Json, new: Json, location: str) -> Changes:
    yield from _other_members(old, new, location, {"required", "schema"})
    before, after = old.get("required", False), new.get("required", False)
    yield from _range_changes(
        location, "presence", after and not before, before and not after, sent=True
    )
    yield from _schema(old.get("schema", {}), new.get("schema", {}), location, sent=True)


def _response(old: Json, new: Json, location: str) -> Changes:
    yield from _other_members(old, new, location, {"content", "headers"})
    yield from _named_members(
        old.get("content", {}), new.get("content", {}), location, _response_part
    )
    yield from _named_members(
        old.get("headers", {}), new.get("headers", {}), f"{location} header", _response_part
    )


def _response_part(old: Json, new: Json, location: str) -> Changes:
    """Changes of a media type or a header."""
    yield from _other_members(old, new, location, {"schema"})
    yield from _schema(old.get("schema", {}), new.get("schema", {}), location, sent=False)


def _schema(old: Any, new: Any, location: str, *, sent: bool) -> Changes:
    """Changes of a schema of what the client sends, or of what it receives."""
    old, new = ({} if schema is True else schema for schema in (old, new))
    if old == new:
        return
    if False in (old, new):
        yield from _range_changes(location, "values", new is False, old is False, sent)
        return
    yield from _other_members(old, new, location, {*_CONSTRAINTS, *_ALTERNATIVES, *_SUBSCHEMAS})
    yield from _types_and_enums(old, new, location, sent)
    for key in sorted(_CONSTRAINTS & {*old, *new}):
        yield from _constraint(key, old.get(key), new.get(key), location, sent)
    yield from _fields(old, new, location, sent)
    for key in ("items", "additionalProperties"):
        yield from _schema(old.get(key, {}), new.get(key, {}), f"{location} {key}", sent=sent)
    for key in ("anyOf", "oneOf"):
        yield from _subschemas(old.get(key, []), new.get(key, []), f"{location} {key}", sent)


def _types_and_enums(old: Json, new: Json, location: str, sent: bool) -> Changes:
    """Changes of types and closed sets. A type in a response must not change at all."""
    removed, added = _types(old) - _types(new), _types(new) - _types(old)
    if sent or not (removed or added):
        yield from _range_changes(location, "type", bool(removed), bool(added), sent)
    else:
        yield Change(ChangeKind.BREAKING, location, "type changed")
    before, after = _closed_set(old), _closed_set(new)
    narrower = after is not None and (before is None or not before <= after)
    wider = before is not None and (after is None or not after <= before)
    yield from _range_changes(location, "enum", narrower, wider, sent)


def _types(schema: Json) -> set[str]:
    """The JSON types that a schema allows. Every integer is a number."""
    declared = schema.get("type", _TYPES)
    types = {declared} if isinstance(declared, str) else set(declared)
    return types | ({"integer"} if "number" in types else set())


def _closed_set(schema: Json) -> set[str] | None:
    """The values of `enum` or `const` as JSON; None without either."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return None if values is None else {json.dumps(value) for value in values}


def _constraint(key: str, old: Any, new: Any, location: str, sent: bool) -> Changes:
    """Changes of a constraint. Different patterns cannot be ordered: they count as both."""
    narrower, wider = old is None or old != new, new is None or old != new
    if old is None or new is None:
        narrower, wider = old is None, new is None
    elif key in _LOWER_BOUNDS | _UPPER_BOUNDS:
        narrower, wider = (new > old, new < old) if key in _LOWER_BOUNDS else (new < old, new > old)
    yield from _range_changes(location, key, narrower, wider, sent)


def _fields(old: Json, new: Json, location: str, sent: bool) -> Changes:
    def compare_field(old: Any, new: Any, location: str) -> Changes:
        yield from _schema(old, new, location, sent=sent)

    before, after = old.get("properties", {}), new.get("properties", {})
    yield from _named_members(before, after, f"{location} field", compare_field)
    were_required, are_required = set(old.get("required", ())), set(new.get("required", ()))
    compared = {*after} if sent else {*before} & {*after}
    for name in sorted((were_required ^ are_required) & compared):
        yield from _range_changes(
            f"{location} field {name}",
            "presence",
            name in are_required,
            name in were_required,
            sent,
        )


def _subschemas(old: list[Any], new: list[Any], location: str, sent: bool) -> Changes:
    """Changes of `anyOf` or `oneOf`. Equal subschemas are skipped, others paired in order."""
    removed = [schema for schema in old if schema not in new]
    added = [schema for schema in new if schema not in old]
    if len(removed) == len(added):
        for before, after in zip(removed, added, strict=True):
            yield from _schema(before, after, location, sent=sent)
    elif sent and old and new:
        yield from _range_changes(location, "alternatives", bool(removed), bool(added), sent)
    else:
        yield Change(ChangeKind.BREAKING, location, "alternatives changed")
