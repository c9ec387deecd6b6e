"""CSV read back by the rules that the documentation gives."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from tests.support.oracle import TYPES, Json

INTEGERS = {
    "planned_years", "investment_amount", "amount", "position", "bytes", "characters",
    "target_start", "target_end",
}  # fmt: skip
BOOLEANS = {"has_sub_recipients"}
LISTS = {
    "countries", "regions", "objectives", "trafficking_forms", "stakeholders", "aliases", "roles",
    "notices", "not_stated",
}  # fmt: skip
OBJECTS = {"precedence", "furniture"}
"""Lists of objects, each as JSON."""

_RUN_BY_SPREADSHEETS = re.compile(r"'+[=+\-@\t\r\n]")
_MEMBER = re.compile(r"((?:[^|\\]|\\.)*)(\||$)", re.DOTALL)


def rows(content: bytes) -> list[list[str]]:
    """Every record of a CSV file (RFC 4180), the header first."""
    return list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))


def documents(collection: str, content: bytes) -> list[Json]:
    """The documents that a collection's CSV stands for."""
    header, *records = rows(content)
    assert all(len(one) == len(header) for one in records)
    read = [dict(zip(header, one, strict=True)) for one in records]
    values = [{name: value(name, cell) for name, cell in one.items()} for one in read]
    if collection == "citations":
        return [_citation(one) for one in values]
    return [{**one, "links": _links(collection, one["id"])} for one in values]


def field_of(column: str) -> str:
    """The field of the document that a column belongs to."""
    field = column.partition("_")[0]
    return field if field in ("reference", "target") else column


def value(column: str, cell: str) -> Any:
    """What a cell of a column stands for."""
    if column == "not_stated" and not cell:
        return []
    if not cell:
        return None
    if column in INTEGERS:
        return int(cell)
    if column in BOOLEANS:
        return {"true": True, "false": False}[cell]
    text = cell[1:] if _RUN_BY_SPREADSHEETS.match(cell) else cell
    if column in LISTS:
        return _members(text)
    return [json.loads(one) for one in _members(text)] if column in OBJECTS else text


def _members(text: str) -> list[str]:
    found, position, more = [], 0, "|"
    while more:
        match = _MEMBER.match(text, position)
        assert match, text
        found.append(re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL))
        position, more = match.end(), match[2]
    return found


def _links(collection: str, name: str) -> Json:
    cited = f"/v1/citations?resource_type={TYPES[collection]}&resource={name}"
    return {"self": f"/v1/{collection}/{name}", "citations": cited}


def _citation(one: Json) -> Json:
    reference = {name: one.pop(f"reference_{name}") for name in ("title", "url", "license")}
    names = ("source", "exact", "prefix", "suffix", "start", "end")
    target = {name: one.pop(f"target_{name}") for name in names}
    selector = [
        {
            "type": "TextQuoteSelector",
            **{name: target[name] for name in ("exact", "prefix", "suffix")},
        },
        {"type": "TextPositionSelector", "start": target["start"], "end": target["end"]},
    ]
    pointed = {"type": "SpecificResource", "source": target["source"], "selector": selector}
    return {
        **one,
        "reference": reference if reference["url"] else None,
        "target": pointed if target["source"] else None,
        "links": {"self": f"/v1/citations/{one['id']}"},
    }
