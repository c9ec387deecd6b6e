"""Expected changes between two records, computed independently of the application."""

from __future__ import annotations

import json
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from rfc8785 import dumps

Json = dict[str, Any]
Name = tuple[str, str, str | None]
"""Type, id and field of a value; a citation is a value without a field."""
Record = dict[tuple[str, str], Json]
"""Documents without links, by type and id."""
ExpectedChange = tuple[Name, str, str | None, str | None]
"""Name and kind of a change, and the JSON of its values."""


def expected_changes(before: Record, after: Record) -> set[ExpectedChange]:
    """Every value that differs, found by comparing flat lists."""
    old, new = _flatten(before), _flatten(after)
    added = {(name, "added", None, new[name]) for name in set(new) - set(old)}
    removed = {(name, "removed", old[name], None) for name in set(old) - set(new)}
    kept = {name for name in set(old) & set(new) if old[name] != new[name]}
    return added | removed | {(name, "changed", old[name], new[name]) for name in kept}


def apply_changes(record: Record, changes: Iterable[ExpectedChange]) -> Record:
    """The record after the changes, by the rules of `docs/releases.md`; each must fit."""
    result, old = deepcopy(record), _flatten(record)
    for (type_, id_, field), _, before, after in changes:
        assert before == old.get((type_, id_, field))
        document = result.setdefault((type_, id_), {})
        if field is None:
            result[type_, id_] = {} if after is None else json.loads(after)
        elif after is None:
            del document[field]
        else:
            document[field] = json.loads(after)
    return {key: document for key, document in result.items() if document}


def canonical(record: Record) -> bytes:
    """The whole record in canonical form (RFC 8785)."""
    return dumps({" ".join(key): document for key, document in record.items()})


def cited_by(record: Record, name: Name) -> list[str]:
    """Sorted ids of the citations of a field."""
    return sorted(
        id_
        for (type_, id_), document in record.items()
        if type_ == "citation"
        and (document["resource_type"], document["resource"], document["field"]) == name
    )


def plain_json(value: object) -> str:
    """The value as sorted JSON; a whole number has no fraction, as in JavaScript."""
    whole = _whole(value)
    return json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def record_documents(response: Json) -> Record:
    """The documents in the record of a release, its metadata included."""
    types = {
        "partnerships": "partnership", "objectives": "objective", "awards": "award",
        "activities": "activity", "regions": "region", "organizations": "organization",
        "sources": "source", "citations": "citation",
    }  # fmt: skip
    meta = response["meta"].items()
    documents: Record = {
        ("record", "record"): {
            name: value for name, value in meta if name.split("_")[0] not in ("release", "counts")
        }
    }
    for collection, found in response["data"].items():
        for document in found:
            without_links = {name: value for name, value in document.items() if name != "links"}
            documents[types[collection], document["id"]] = without_links
    return documents


def _flatten(record: Record) -> dict[Name, str]:
    flat: dict[Name, str] = {}
    for (type_, id_), document in record.items():
        whole: dict[str | None, Any] = {None: document}
        parts = whole if type_ == "citation" else {**document}
        flat |= {(type_, id_, field): plain_json(value) for field, value in parts.items()}
    return flat


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_whole(member) for member in value]
    return int(value) if isinstance(value, float) else value
