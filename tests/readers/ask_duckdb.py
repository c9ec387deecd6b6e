"""Ask an SQLite file a question in DuckDB: `ask_duckdb.py FILE SQL` prints the rows as JSON."""

from __future__ import annotations

import json
import sys
from importlib.metadata import files

import duckdb

file, question = sys.argv[1:]
extension = next(
    one for one in files("duckdb-ext-sqlite") or () if one.suffix.endswith("extension")
)
connection = duckdb.connect()
connection.execute(f"LOAD '{extension.locate()}'")
connection.execute(f"ATTACH '{file}' AS record (TYPE sqlite, READ_ONLY)")
connection.execute("USE record")
sys.stdout.write(json.dumps(connection.execute(question).fetchall()))
