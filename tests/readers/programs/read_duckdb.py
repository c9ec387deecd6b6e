"""Read tables in DuckDB."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
from duckdb_files import connect
from output import Read, Table, main, table

TYPES = {"awards": "{'amount': 'BIGINT'}", "partnerships": "{'signed': 'VARCHAR'}"}
connection = connect()


def select(source: Callable[[str, str], str]) -> Read:
    """Reads all that SQL selects from a source."""

    def read(address: str, name: str) -> Table:
        relation = connection.sql(f"FROM {source(address, name)}")
        types = dict(zip(relation.columns, relation.types, strict=True))
        rows = (dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall())
        return table(types, rows)

    return read


def csv_with_types(address: str, name: str) -> str:
    """A CSV file, with the types of columns without values and of dates."""
    types = f", types = {TYPES[name]}" if name in TYPES else ""
    return f"read_csv('{address}/v1/exports/{name}.csv'{types})"


def attached(address: str, name: str) -> str:
    """A table of the database."""
    file = f"{address}/v1/exports/record.sqlite"
    connection.execute(f"ATTACH IF NOT EXISTS '{file}' AS record (TYPE sqlite, READ_ONLY)")
    return f"record.{name}"


LATEST: dict[str, Read] = {
    "Parquet": select(lambda address, name: f"'{address}/v1/exports/{name}.parquet'"),
    "CSV": select(lambda address, name: f"'{address}/v1/exports/{name}.csv'"),
    "CSV, `types`": select(csv_with_types),
    "CSV, `all_varchar`": select(
        lambda address, name: f"read_csv('{address}/v1/exports/{name}.csv', all_varchar = true)"
    ),
    "NDJSON": select(lambda address, name: f"read_json('{address}/v1/{name}?format=ndjson')"),
}
WITH_EXTENSIONS: dict[str, Read] = {"SQLite": select(attached)}
main({"DuckDB": (duckdb.__version__, LATEST if duckdb.__version__ >= "2" else WITH_EXTENSIONS)})
