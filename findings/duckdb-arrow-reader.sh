#!/usr/bin/env bash
# duckdb 1.5.5 and 2.0.1, pyarrow 26.0.1 (PyPI): the rows handed to Arrow are gone after the next query.
#
# Expected: `arrow()` gives a reader whose rows can be read after other queries on the same connection, as
# those of a relation can; at worst reading them then raises an error.
# Seen: in DuckDB 1.5.5 the reader has the right schema and no rows, without an error. In 2.0.1 the next query
# raises ResourceInUseException until the reader is read to its end; the rows are right then.
# Output: DuckDB 1.5.5: next query works, 0 of 3 rows; DuckDB 2.0.1: next query refused, 3 of 3 rows
#
# Why a publisher cares: a program that reads several files with DuckDB and hands each to polars, pandas or
# pyarrow.parquet.write_table publishes tables with headers and no rows, until the upgrade to DuckDB 2 stops it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
for version in 1.5.5 2.0.1; do
    python3 -m venv "$version"
    "$version/bin/pip" install --quiet --disable-pip-version-check "duckdb==$version" pyarrow==26.0.1 \
        >pip.log 2>&1 || { cat pip.log; exit 1; }
done
printf 'id,name\na,Cusco\nb,Lima\nc,Loreto\n' >regions.csv
printf 'id\nx\n' >awards.csv

cat >check.py <<'PYTHON'
import duckdb

connection = duckdb.connect()
regions = connection.sql("FROM 'regions.csv'").arrow()
assert regions.schema.names == ["id", "name"]
try:
    assert connection.sql("FROM 'awards.csv'").fetchall() == [("x",)]
    outcome = "works"
except duckdb.Error as error:
    assert type(error).__name__ == "ResourceInUseException", repr(error)
    outcome = "refused"
rows = regions.read_all().num_rows
print(f"DuckDB {duckdb.__version__}: next query {outcome}, {rows} of 3 rows")
PYTHON
seen="$(1.5.5/bin/python check.py); $(2.0.1/bin/python check.py)"
expected="DuckDB 1.5.5: next query works, 0 of 3 rows; DuckDB 2.0.1: next query refused, 3 of 3 rows"
[ "$seen" = "$expected" ] || { echo "$seen" >&2; false; }
echo "$seen"
