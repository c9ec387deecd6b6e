"""Columns of CSV files, as metadata for CSV on the Web (W3C CSVW)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.archive.archive import Archive
from app.exports.tables import Column, Table
from app.exports.terms import full_description, licenses

Json = dict[str, Any]

_DATATYPES: Mapping[str, Any] = {
    "string": "string",
    "integer": "integer",
    "boolean": {"base": "boolean", "format": "true|false"},
    "date": "date",
    "datetime": "dateTime",
    "array": "json",
}
"""Datatype of a column, by its type (Metadata Vocabulary for Tabular Data, 5.11)."""


def describe_csv(archive: Archive, tables: Iterable[Table]) -> Json:
    """A table group with one CSV file per table, each next to it and named after its table.

    Foreign keys are left out if there is no file for their table, and if the column may be null: a
    validator must find a row for each row (Metadata Vocabulary for Tabular Data, 5.5.2.1).
    """
    tables = list(tables)
    names = {table.name for table in tables}
    metadata = archive.metadata
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "dc:title": metadata["title"],
        "dc:description": full_description(metadata),
        "dc:created": metadata["modified"],
        "dc:license": [{"@id": terms["url"]} for terms in licenses(metadata)],
        "dc:identifier": archive.release,
        "schema:version": archive.label,
        "tables": [_table(table, names) for table in tables],
    }


def _table(table: Table, names: set[str]) -> Json:
    keys = [
        {
            "columnReference": column.name,
            "reference": {"resource": f"{column.references}.csv", "columnReference": "id"},
        }
        for column in table.columns
        if column.references in names and column.required
    ]
    schema: Json = {
        "columns": [_column(column) for column in table.columns],
        "primaryKey": list(table.key),
    }
    return {
        "url": f"{table.name}.csv",
        "dc:description": table.description,
        "tableSchema": schema | ({"foreignKeys": keys} if keys else {}),
    }


def _column(column: Column) -> Json:
    return {
        "name": column.name,
        "titles": column.name,
        "dc:description": column.description,
        "required": column.required,
        "datatype": _datatype(column),
    }


def _datatype(column: Column) -> Any:
    pattern = f"^({'|'.join(column.choices)})$" if column.choices else column.pattern
    datatype = _DATATYPES[column.type]
    return {"base": datatype, "format": pattern} if pattern else datatype
