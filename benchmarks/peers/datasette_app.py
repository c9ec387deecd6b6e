"""Datasette on an immutable database: precomputed row counts, no facets, no access log."""

from __future__ import annotations

import asyncio
import os

from datasette.app import Datasette  # type: ignore[import-not-found]
from datasette.cli import inspect_  # type: ignore[import-not-found]

_DATABASE = os.environ["DATABASE"]
_SETTINGS = {
    "suggest_facets": False,
    "allow_facet": False,
    "sql_time_limit_ms": 20_000,
    "num_sql_threads": int(os.environ.get("SQL_THREADS", "3")),
}

app = Datasette(
    immutables=[_DATABASE],
    inspect_data=asyncio.run(inspect_([_DATABASE], None)),
    settings=_SETTINGS,
).app()
