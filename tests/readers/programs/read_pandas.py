"""Read tables in pandas, and CSV in pyarrow."""

from __future__ import annotations

import io
import sqlite3
import urllib.request
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pandas as pd
import pyarrow as pa
from output import Read, Table, main, table
from pyarrow import csv


def frame(read: Callable[[str, str], pd.DataFrame]) -> Read:
    """Reads a data frame."""

    def read_table(address: str, name: str) -> Table:
        found = read(address, name)
        return table(found.dtypes.to_dict(), found.to_dict("records"))

    return read_table


def parquet(address: str, name: str, **options: Any) -> pd.DataFrame:
    """A Parquet file."""
    return pd.read_parquet(f"{address}/v1/exports/{name}.parquet", **options)


def text(address: str, name: str, **options: Any) -> pd.DataFrame:
    """A CSV file."""
    return pd.read_csv(f"{address}/v1/exports/{name}.csv", **options)


def lines(address: str, name: str, **options: Any) -> pd.DataFrame:
    """A list of the API as NDJSON."""
    return pd.read_json(f"{address}/v1/{name}?format=ndjson", lines=True, **options)


def from_database(address: str, name: str) -> pd.DataFrame:
    """A table of the database, which is downloaded."""
    content = download(f"{address}/v1/exports/record.sqlite")
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(content)
        return pd.read_sql(f"SELECT * FROM {name}", connection)  # noqa: S608 - a name from the models


def arrow_text(options: csv.ConvertOptions) -> Read:
    """Reads a CSV file with pyarrow."""

    def read_table(address: str, name: str) -> Table:
        content = download(f"{address}/v1/exports/{name}.csv")
        found = csv.read_csv(io.BytesIO(content), convert_options=options)
        types = dict(zip(found.schema.names, found.schema.types, strict=True))
        return table(types, found.to_pylist())

    return read_table


def download(address: str) -> bytes:
    """The content of a file."""
    with urllib.request.urlopen(address) as response:  # noqa: S310 - of the test
        content: bytes = response.read()
    return content


PANDAS = {
    "Parquet": frame(parquet),
    'Parquet, `dtype_backend="pyarrow"`': frame(
        lambda at, name: parquet(at, name, dtype_backend="pyarrow")
    ),
    "CSV": frame(text),
    "CSV, `dtype=str`": frame(lambda at, name: text(at, name, dtype=str)),
    "NDJSON": frame(lines),
    "NDJSON, `dtype=False`": frame(lambda at, name: lines(at, name, dtype=False)),
    "SQLite": frame(from_database),
}
CONVERSION = csv.ConvertOptions(
    strings_can_be_null=True, column_types={"inei_ubigeo": pa.string(), "amount": pa.int64()}
)
PYARROW = {
    "CSV": arrow_text(csv.ConvertOptions()),
    "CSV, `strings_can_be_null`, `column_types`": arrow_text(CONVERSION),
}
main({"pandas": (pd.__version__, PANDAS), "pyarrow": (pa.__version__, PYARROW)})
