#!/usr/bin/env bash
# duckdb 2.0.1 (PyPI): a field of NDJSON that is null in every line makes a column that can never have a value.
#
# Expected: a column of type JSON, as in DuckDB 1.5.5, or of text; a table made from the file takes the first
# value that a later line brings.
# Seen: the column has the type "NULL", also in CREATE TABLE AS; any INSERT of a number or of text into it
# raises ConversionException, while sums and comparisons silently work. In CSV the same column is text.
# Output: DuckDB 1.5.5: JSON, 5000000 inserted; DuckDB 2.0.1: "NULL", Unimplemented type for cast
#
# Why a publisher cares: a value that no source states yet is null everywhere. Whoever loads such a file into
# a table with DuckDB 2 and appends later releases fails on the first one that states the value.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
for pinned in duckdb==1.5.5 duckdb==2.0.1; do
    version=${pinned#*==}
    python3 -m venv "$version"
    "$version/bin/pip" install --quiet --disable-pip-version-check "$pinned" >pip.log 2>&1 ||
        { cat pip.log; exit 1; }
done
printf '{"id":"a","amount":null}\n{"id":"b","amount":null}\n' >awards.ndjson

cat >check.py <<'PYTHON'
import duckdb

connection = duckdb.connect()
connection.execute("CREATE TABLE awards AS FROM read_json('awards.ndjson')")
types = dict(connection.execute("SELECT column_name, data_type FROM duckdb_columns()").fetchall())
assert connection.execute("SELECT sum(amount::BIGINT) FROM awards").fetchall() == [(None,)]
try:
    connection.execute("INSERT INTO awards VALUES ('c', 5000000)")
    outcome = "{} inserted".format(*connection.execute("SELECT max(amount) FROM awards").fetchone())
except duckdb.ConversionException as error:
    outcome = str(error).removeprefix("Conversion Error: ").partition(" (")[0]
print(f"DuckDB {duckdb.__version__}: {types['amount']}, {outcome}")
PYTHON
seen="$(1.5.5/bin/python check.py); $(2.0.1/bin/python check.py)"
expected='DuckDB 1.5.5: JSON, 5000000 inserted; DuckDB 2.0.1: "NULL", Unimplemented type for cast'
[ "$seen" = "$expected" ] || { echo "$seen" >&2; false; }
echo "$seen"
