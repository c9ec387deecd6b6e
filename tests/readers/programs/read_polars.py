"""Read tables in polars."""

from __future__ import annotations

import sqlite3
import urllib.request
from collections.abc import Callable
from contextlib import closing

import polars as pl
from output import Read, Table, main, table


def frame(read: Callable[[str, str], pl.DataFrame]) -> Read:
    """Reads a data frame."""

    def read_table(address: str, name: str) -> Table:
        found = read(address, name)
        return table(found.schema, found.to_dicts())

    return read_table


def from_database(address: str, name: str) -> pl.DataFrame:
    """A table of the database, which is downloaded."""
    with urllib.request.urlopen(f"{address}/v1/exports/record.sqlite") as response:  # noqa: S310
        content = response.read()
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(content)
        query = f"SELECT * FROM {name}"  # noqa: S608 - a name from the models
        return pl.read_database(query, connection, infer_schema_length=None)


WAYS = {
    "Parquet": frame(lambda at, name: pl.read_parquet(f"{at}/v1/exports/{name}.parquet")),
    "CSV": frame(lambda at, name: pl.read_csv(f"{at}/v1/exports/{name}.csv")),
    "CSV, `schema_overrides`": frame(
        lambda at, name: pl.read_csv(
            f"{at}/v1/exports/{name}.csv",
            schema_overrides={"inei_ubigeo": pl.String, "amount": pl.Int64},
        )
    ),
    "CSV, `infer_schema=False`": frame(
        lambda at, name: pl.read_csv(f"{at}/v1/exports/{name}.csv", infer_schema=False)
    ),
    "NDJSON, `infer_schema_length=None`": frame(
        lambda at, name: pl.read_ndjson(f"{at}/v1/{name}?format=ndjson", infer_schema_length=None)
    ),
    "SQLite, `infer_schema_length=None`": frame(from_database),
}
main({"polars": (pl.__version__, WAYS)})
