#!/usr/bin/env bash
# pandas 3.1.1 (PyPI): a number column of SQLite without any value is read as text, and its sum is "".
#
# Expected: with `dtype_backend`, `read_sql` gives a column that is declared INTEGER and has only nulls a
# nullable number type, or object as it does without the option; its sum is 0, as for other missing numbers.
# Seen: with both backends INTEGER, REAL and BOOLEAN columns become text, `sum()` of the integers is the empty
# text, and with "pyarrow" `fillna(0)` raises TypeError. One value in the column, and they are Int64, Float64.
# Output: all null: string, string, string, sum ''; with a value: Int64, Float64, Int64, sum 5
#
# Why a publisher cares: an amount that no source states is null in every row until one does. The types of a
# program that reads it then change with the data, and a total of money is an empty text rather than 0 or NA.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pandas==3.1.1 pyarrow==26.0.1 >pip.log 2>&1 ||
    { cat pip.log; exit 1; }

cat >check.py <<'PYTHON'
import sqlite3

import pandas as pd

connection = sqlite3.connect(":memory:")
connection.execute("CREATE TABLE awards (id TEXT, amount INTEGER, share REAL, paid BOOLEAN)")
connection.execute("INSERT INTO awards (id) VALUES ('a'), ('b')")


def read(backend):
    frame = pd.read_sql("SELECT amount, share, paid FROM awards", connection, dtype_backend=backend)
    return frame, [str(dtype) for dtype in frame.dtypes]


empty, types = read("numpy_nullable")
assert types == ["string", "string", "string"], types
assert empty["amount"].sum() == "", empty["amount"].sum()
arrow, arrow_types = read("pyarrow")
assert arrow_types == ["string[pyarrow]"] * 3, arrow_types
try:
    arrow["amount"].fillna(0)
except TypeError:
    pass
else:
    raise AssertionError("fillna(0) works")

connection.execute("INSERT INTO awards VALUES ('c', 5, 0.5, 1)")
filled, filled_types = read("numpy_nullable")
assert filled_types == ["Int64", "Float64", "Int64"], filled_types
print(f"all null: {', '.join(types)}, sum {empty['amount'].sum()!r}; "
      f"with a value: {', '.join(filled_types)}, sum {filled['amount'].sum()}")
PYTHON
venv/bin/python check.py
