"""What changed between two OpenAPI documents of a read-only API, and whether it breaks a client.

A client is a program that sends what the old document allows and reads what it describes, or one
generated from it: names of operations, tags and schemas count. What cannot be told is breaking.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, NamedTuple

Json = dict[str, Any]


class Kind(StrEnum):
    """What a change means to a client."""

    BREAKING = "breaking"
    ADDITIVE = "additive"
    EDITORIAL = "editorial"


class Change(NamedTuple):
    """A difference between two documents."""

    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.what}"


Changes = Iterator[Change]

_TEXT = {"description", "summary", "title", "example", "examples", "deprecated", "externalDocs"}
_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
_TYPES = {"null", "boolean", "object", "array", "number", "integer", "string"}
_LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
_LIMITS = {*_LOWER, *_UPPER, "pattern", "format", "multipleOf", "uniqueItems"}
_CHOICES = {"type", "enum", "const", "anyOf", "oneOf"}
_PARTS = {"properties", "required", "items", "additionalProperties"}
_REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')


def compare(old: Json, new: Json) -> list[Change]:
    """Every change, the breaking ones first."""
    before, after = old.get("components", {}), new.get("components", {})
    sent, told = (_named(old, part) | _named(new, part) for part in ("parameters", "responses"))

    def named(old: Any, new: Any, where: str) -> Changes:
        name = where.removeprefix("schema ")
        if name in sent:
            yield from _schema(old, new, where, asked=True)
        if name in told or name not in sent:
            yield from _schema(old, new, where, asked=False)

    found = [
        *_rest(old, new, "document", {"paths", "components"}, {"info", "tags"}),
        *_each(old["paths"], new["paths"], "path", _path),
        *_rest(before, after, "components", {"schemas"}),
        *_each(before.get("schemas", {}), after.get("schemas", {}), "schema", named),
    ]
    return sorted(dict.fromkeys(found), key=lambda change: list(Kind).index(change.kind))


def breaking(old: Json, new: Json) -> list[Change]:
    """The changes that break clients; none once a newer version has replaced every older one."""
    before, after = _versions(old), _versions(new)
    if before and after and min(after) > max(before):
        return []
    return [change for change in compare(old, new) if change.kind is Kind.BREAKING]


def _versions(document: Json) -> set[int]:
    found = (re.match(r"/v(\d+)(?:/|$)", path) for path in document["paths"])
    return {int(one[1]) for one in found if one}


def _named(document: Json, part: str) -> set[str]:
    """Names of the schemas that one part of the operations is made of."""
    operations = [one for path in document["paths"].values() for one in path.values()]
    text = json.dumps([one.get(part) for one in operations])
    names: set[str] = set()
    while fresh := set(_REFERENCE.findall(text)) - names:
        names |= fresh
        text = json.dumps([document["components"]["schemas"].get(name) for name in fresh])
    return names


def _each(old: Json, new: Json, where: str, inner: Callable[[Any, Any, str], Changes]) -> Changes:
    """Changes of named members: one gone breaks, one more does not."""
    for name in sorted({*old, *new}):
        if name not in new:
            yield Change(Kind.BREAKING, f"{where} {name}", "removed")
        elif name not in old:
            yield Change(Kind.ADDITIVE, f"{where} {name}", "added")
        else:
            yield from inner(old[name], new[name], f"{where} {name}")


def _rest(old: Json, new: Json, where: str, seen: set[str], text: set[str] = _TEXT) -> Changes:
    """Changes of all members but those seen to elsewhere: text is editorial, the others break."""
    for key in sorted({*old, *new} - seen):
        if old.get(key) != new.get(key):
            yield Change(Kind.EDITORIAL if key in text else Kind.BREAKING, where, f"{key} changed")


def _bent(where: str, what: str, narrower: bool, wider: bool, asked: bool) -> Changes:
    """What clients are asked for must not get narrower, what they are answered not wider."""
    if narrower:
        yield Change(Kind.BREAKING if asked else Kind.ADDITIVE, where, f"{what} narrower")
    if wider:
        yield Change(Kind.ADDITIVE if asked else Kind.BREAKING, where, f"{what} wider")


def _path(old: Json, new: Json, where: str) -> Changes:
    yield from _rest(old, new, where, _METHODS)
    before, after = ({key: one[key] for key in one if key in _METHODS} for one in (old, new))
    yield from _each(before, after, where, _operation)


def _operation(old: Json, new: Json, where: str) -> Changes:
    yield from _rest(old, new, where, {"parameters", "responses"})
    before, after = (
        {f"{one['in']} {one['name']}": one for one in operation.get("parameters", [])}
        for operation in (old, new)
    )
    needed = {f"{where} parameter {name}" for name, one in after.items() if one.get("required")}
    for change in _each(before, after, f"{where} parameter", _parameter):
        if change.what == "added" and change.where in needed:
            yield change._replace(kind=Kind.BREAKING, what="added and required")
        else:
            yield change
    yield from _each(old["responses"], new["responses"], f"{where} response", _response)


def _parameter(old: Json, new: Json, where: str) -> Changes:
    yield from _rest(old, new, where, {"required", "schema"})
    before, after = old.get("required", False), new.get("required", False)
    yield from _bent(where, "presence", after and not before, before and not after, asked=True)
    yield from _schema(old.get("schema", {}), new.get("schema", {}), where, asked=True)


def _response(old: Json, new: Json, where: str) -> Changes:
    yield from _rest(old, new, where, {"content", "headers"})
    yield from _each(old.get("content", {}), new.get("content", {}), where, _answer)
    yield from _each(old.get("headers", {}), new.get("headers", {}), f"{where} header", _answer)


def _answer(old: Json, new: Json, where: str) -> Changes:
    yield from _rest(old, new, where, {"schema"})
    yield from _schema(old.get("schema", {}), new.get("schema", {}), where, asked=False)


def _schema(old: Any, new: Any, where: str, *, asked: bool) -> Changes:
    """Changes of what a client is asked for, or of what it is answered."""
    old, new = ({} if one is True else one for one in (old, new))
    if old == new:
        return
    if False in (old, new):
        yield from _bent(where, "values", new is False, old is False, asked)
        return
    yield from _rest(old, new, where, {*_LIMITS, *_CHOICES, *_PARTS})
    yield from _choices(old, new, where, asked)
    for key in sorted(_LIMITS & {*old, *new}):
        yield from _limit(key, old.get(key), new.get(key), where, asked)
    yield from _fields(old, new, where, asked)
    for key in ("items", "additionalProperties"):
        yield from _schema(old.get(key, {}), new.get(key, {}), f"{where} {key}", asked=asked)
    for key in ("anyOf", "oneOf"):
        yield from _branches(old.get(key, []), new.get(key, []), f"{where} {key}", asked)


def _choices(old: Json, new: Json, where: str, asked: bool) -> Changes:
    """Types and closed sets. The type of an answer is not to change at all."""
    lost, gained = _types(old) - _types(new), _types(new) - _types(old)
    if asked or not (lost or gained):
        yield from _bent(where, "type", bool(lost), bool(gained), asked)
    else:
        yield Change(Kind.BREAKING, where, "type changed")
    before, after = _closed(old), _closed(new)
    narrower = after is not None and (before is None or not before <= after)
    wider = before is not None and (after is None or not after <= before)
    yield from _bent(where, "enum", narrower, wider, asked)


def _types(schema: Json) -> set[str]:
    named = schema.get("type", _TYPES)
    types = {named} if isinstance(named, str) else set(named)
    return types | ({"integer"} if "number" in types else set())


def _closed(schema: Json) -> set[str] | None:
    """The values of a closed set; None of an open one."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return None if values is None else {json.dumps(value) for value in values}


def _limit(key: str, old: Any, new: Any, where: str, asked: bool) -> Changes:
    """Changes of a bound; of two patterns nobody can tell which is narrower: both, then."""
    narrower, wider = old is None or old != new, new is None or old != new
    if old is None or new is None:
        narrower, wider = old is None, new is None
    elif key in _LOWER | _UPPER:
        narrower, wider = (new > old, new < old) if key in _LOWER else (new < old, new > old)
    yield from _bent(where, key, narrower, wider, asked)


def _fields(old: Json, new: Json, where: str, asked: bool) -> Changes:
    def field(old: Any, new: Any, where: str) -> Changes:
        yield from _schema(old, new, where, asked=asked)

    before, after = old.get("properties", {}), new.get("properties", {})
    yield from _each(before, after, f"{where} field", field)
    then, now = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted((then ^ now) & ({*after} if asked else {*before} & {*after})):
        yield from _bent(f"{where} field {name}", "presence", name in now, name in then, asked)


def _branches(old: list[Any], new: list[Any], where: str, asked: bool) -> Changes:
    """Changes of alternatives: those alike are left out, the others paired as they stand."""
    lost, gained = [one for one in old if one not in new], [one for one in new if one not in old]
    if len(lost) == len(gained):
        for before, after in zip(lost, gained, strict=True):
            yield from _schema(before, after, where, asked=asked)
    elif asked and old and new:
        yield from _bent(where, "alternatives", bool(lost), bool(gained), asked)
    else:
        yield Change(Kind.BREAKING, where, "alternatives changed")
