"""Collections as Parquet files, with the types of their columns. They need pyarrow to be written.

The schema follows from the models and not from the rows: a column without any value keeps its type.
The same rows give the same bytes with the same version of pyarrow.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.archive.archive import COLLECTIONS, read_only_uri
from app.exports.database import select_rows
from app.exports.geoparquet import Geometry, describe_geometries, read_geometry
from app.exports.streams import RowCallback
from app.exports.tables import Column, Table, tables

if TYPE_CHECKING:
    import pyarrow as pa

Json = dict[str, Any]

_REGIONS = "regions"
_BATCHES_PER_ROW_GROUP = 16
"""Of 1,000 rows each: what is in memory at once, and what a reader can skip."""
_COMPRESSION = "snappy"
"""Every reader has it, also those in browsers, which need another package for zstd."""

_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "boolean": bool,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "array": json.loads,
}
"""From a value in the database to one that pyarrow takes, by type of column."""


@cache
def pyarrow_version() -> str | None:
    """The installed version of pyarrow, which determines the bytes; None without it."""
    try:
        return version("pyarrow")
    except PackageNotFoundError:
        return None


def write_parquet(
    database: Path, directory: Path, about: Mapping[str, str], on_rows: RowCallback
) -> None:
    """Write each collection of the exported database to a file named after it.

    The regions have their outlines as well, as GeoParquet 1.1.

    Args:
        database: The exported database.
        directory: Directory to write to.
        about: Metadata of the record, which is put into each file.
        on_rows: Called with the number of rows written since the last call.

    Raises:
        OSError, sqlite3.Error: The database cannot be read, or a file cannot be written.
    """
    with closing(sqlite3.connect(read_only_uri(database), uri=True)) as connection:
        for table in tables():
            if table.name in COLLECTIONS:
                _write_table(connection, table, directory / f"{table.name}.parquet", about, on_rows)


def _write_table(
    connection: sqlite3.Connection,
    table: Table,
    path: Path,
    about: Mapping[str, str],
    on_rows: RowCallback,
) -> None:
    """Write one collection, in groups of rows."""
    import pyarrow as pa  # noqa: PLC0415 - an optional dependency
    from pyarrow import parquet  # noqa: PLC0415

    schema = _schema(table)
    geometries: list[Geometry] = []
    batches = _batches(connection, table, schema, geometries)
    with parquet.ParquetWriter(
        path, schema, compression=_COMPRESSION, store_schema=False, write_page_index=True
    ) as writer:
        while group := list(islice(batches, _BATCHES_PER_ROW_GROUP)):
            writer.write_table(pa.Table.from_batches(group, schema))
            on_rows(sum(len(batch) for batch in group))
        metadata = {
            name: text
            for name, text in about.items()
            if table.name == _REGIONS or not name.startswith("outlines")
        }
        if table.name == _REGIONS:
            metadata["geo"] = json.dumps(describe_geometries(geometries))
        writer.add_key_value_metadata(metadata)


def _batches(
    connection: sqlite3.Connection, table: Table, schema: pa.Schema, geometries: list[Geometry]
) -> Iterator[pa.RecordBatch]:
    """The rows of a table in batches; adds the geometries among them to the list."""
    import pyarrow as pa  # noqa: PLC0415

    for rows in select_rows(connection, table):
        columns = [
            _parse(column, values)
            for column, values in zip(table.columns, zip(*rows, strict=True), strict=True)
        ]
        if table.name == _REGIONS:
            found = [read_geometry(connection, region) for region in columns[0]]
            geometries += filter(None, found)
            columns.append([geometry and geometry.wkb for geometry in found])
            columns.append([geometry and geometry.covering for geometry in found])
        arrays = [
            pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _parse(column: Column, values: Sequence[Any]) -> list[Any]:
    parse = _PARSERS.get(column.type)
    if parse is None:
        return list(values)
    return [None if value is None else parse(value) for value in values]


def _schema(table: Table) -> pa.Schema:
    """The Arrow schema of a table; a column that always has a value is not nullable."""
    import pyarrow as pa  # noqa: PLC0415

    fields = [
        pa.field(column.name, _column_type(column), nullable=not column.required)
        for column in table.columns
    ]
    if table.name == _REGIONS:
        sides = ("xmin", "ymin", "xmax", "ymax")
        box = pa.struct([pa.field(side, pa.float64(), nullable=False) for side in sides])
        fields += [pa.field("geometry", pa.binary()), pa.field("bbox", box)]
    return pa.schema(fields)


def _column_type(column: Column) -> pa.DataType:
    import pyarrow as pa  # noqa: PLC0415

    match column.type:
        case "date":
            return pa.date32()
        case "datetime":
            return pa.timestamp("ms", tz="UTC")
        case "array":
            assert column.items is not None  # noqa: S101 - for the type checker
            return pa.list_(pa.field("element", _json_type(column.items), nullable=False))
    return _json_type({"type": column.type})


def _json_type(schema: Json) -> pa.DataType:
    """The Arrow type of values that a JSON Schema describes; an object is a struct."""
    import pyarrow as pa  # noqa: PLC0415

    match schema["type"]:
        case "object":
            return pa.struct(
                [
                    pa.field(name, _json_type(member), nullable=False)
                    for name, member in schema["properties"].items()
                ]
            )
        case "integer":
            return pa.int64()
        case "boolean":
            return pa.bool_()
    return pa.string()
