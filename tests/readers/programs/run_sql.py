"""Run statements in DuckDB: `run_sql.py SQL` prints the rows of each as JSON, a line each."""

from __future__ import annotations

import json
import sys

import duckdb
from duckdb_files import connect

connection = connect()
for statement in duckdb.extract_statements(sys.argv[1]):
    rows = connection.execute(statement).fetchall()
    sys.stdout.write(json.dumps(rows, default=str) + "\n")
