"""Tables as programs read them, compared with the documents of the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from app.models.dates import first_day, last_day

Json = dict[str, Any]


def compare(tables: Json, record: dict[str, list[Json]], cell: Callable[[Any], Any]) -> int:
    """Compare tables with the record; returns how many rows they have."""
    for name, table in tables.items():
        documents, columns = record[name], table["types"].keys() - {"geometry", "bbox", "links"}
        assert columns >= documents[0].keys() - {"links", "target", "reference"}
        expected = [
            {column: cell(flat_value(document, column)) for column in columns}
            for document in documents
        ]
        rows = [{column: row[column] for column in columns} for row in table["rows"]]
        assert _by_id(rows) == _by_id(expected)
        assert len(rows) == len(expected)
    return sum(len(table["rows"]) for table in tables.values())


def _by_id(rows: list[Json]) -> dict[str, str]:
    """Rows as JSON, in which 1 differs from `true`."""
    return {row["id"]: json.dumps(row, sort_keys=True) for row in rows}


def as_text(value: Any) -> str | None:
    """A value as a cell of CSV."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_stored(value: Any) -> Any:
    """A value as it is in SQLite."""
    if isinstance(value, bool):
        return int(value)
    return as_text(value) if isinstance(value, list) else value


def is_same(value: Any, expected: Any) -> bool:
    """Whether a value is as expected; a list may be text, as JSON."""
    if isinstance(expected, list) and isinstance(value, str):
        value = json.loads(value) if value.startswith("[") else value
    return json.dumps(value) == json.dumps(expected)


def flat_value(document: Json, column: str) -> Any:
    """What a column of the exports holds for a document of the API."""
    field, _, end = column.rpartition("_")
    if end in {"first", "last"} and field in document:
        day = {"first": first_day, "last": last_day}[end]
        return None if document[field] is None else day(document[field]).isoformat()
    if column in document:
        return document[column]
    return _flat_citation(document)[column]


def _flat_citation(citation: Json) -> Json:
    """Columns of a citation's quote and reference."""
    flat = dict.fromkeys(
        ["source", "quote", "quote_start", "quote_end", "quote_prefix", "quote_suffix"]
    )
    if citation["target"] is not None:
        quote, position = citation["target"]["selector"]
        flat |= {
            "source": citation["target"]["source"].rpartition("/")[2],
            "quote": quote["exact"],
            "quote_start": position["start"],
            "quote_end": position["end"],
            "quote_prefix": quote["prefix"],
            "quote_suffix": quote["suffix"],
        }
    reference = citation["reference"] or dict.fromkeys(["title", "url", "license"])
    return flat | {f"reference_{name}": value for name, value in reference.items()}
