"""DuckDB that reads files by address, though its extension for HTTP is not installed."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, files

import duckdb

EXTENSIONS = ("duckdb-extension-httpfs", "duckdb-extension-sqlite-scanner")


def connect() -> duckdb.DuckDBPyConnection:
    """A connection with the extensions that are installed, otherwise with fsspec for HTTP."""
    connection = duckdb.connect()
    try:
        for package in EXTENSIONS:
            found = (file for file in files(package) or () if file.suffix == ".duckdb_extension")
            connection.execute(f"LOAD '{next(found).locate()}'")
    except PackageNotFoundError:
        _register_http(connection)
    return connection


def _register_http(connection: duckdb.DuckDBPyConnection) -> None:
    from fsspec.implementations.http import HTTPFileSystem  # noqa: PLC0415 - not in each environment

    class DatedFileSystem(HTTPFileSystem):
        """DuckDB asks for the time of a change before it reads Parquet."""

        def modified(self, path: str) -> datetime:  # noqa: ARG002 - fsspec's parameter
            return datetime(2026, 1, 1, tzinfo=UTC)

    connection.register_filesystem(DatedFileSystem())
