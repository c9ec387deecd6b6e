#!/usr/bin/env bash
# frictionless 5.21.0, datapackage-to-datasette 0.5.0 (PyPI): a package that is valid cannot be loaded into SQLite.
#
# Expected: `pattern` says nothing about a missing value, as in `validate`; what is valid is loaded.
# Seen: `validate` accepts an empty cell in a column with a pattern. `publish` makes a CHECK with REGEXP of the
# pattern, and calls its function for NULL, too, which fails: the load ends in an OperationalError, with the
# table there and empty. The second program loads by the same code. Without the pattern, both load it.
# Output: valid True; with a pattern: OperationalError, 0 rows; without: 2 rows in both
#
# Why a publisher cares: the profiles recommend patterns for codes and dates, and optional columns have gaps.
# The own check is green, and the first user who loads the package gets an error about a function.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "frictionless[sql]==5.21.0" sqlalchemy==2.1.9 \
    datapackage-to-datasette==0.5.0 >pip.log 2>&1 || { cat pip.log; exit 1; }

for name in pattern plain; do
    mkdir "$name"
    printf 'id,currency\na,USD\nb,\n' >"$name/awards.csv"
done

cat >check.py <<'PYTHON'
import json
import sqlite3
import subprocess

from frictionless import Package
from sqlalchemy.exc import OperationalError


def describe(name, constraints):
    currency = {"name": "currency", "type": "string"} | constraints
    fields = [{"name": "id", "type": "string"}, currency]
    resource = {"name": "awards", "path": "awards.csv", "schema": {"fields": fields}}
    package = {"name": name, "title": name, "resources": [resource]}
    with open(f"{name}/datapackage.json", "w") as file:
        json.dump(package, file)
    return Package(f"{name}/datapackage.json")


def count(database):
    return sqlite3.connect(database).execute("SELECT count(*) FROM awards").fetchone()[0]


def load_for_datasette(name):
    command = ["venv/bin/datapackage-to-datasette", f"{name}2.db", f"{name}/datapackage.json", f"{name}.json"]
    return subprocess.run(command, capture_output=True, text=True)


patterned = describe("pattern", {"constraints": {"pattern": "^[A-Z]{3}$"}})
valid = patterned.validate().valid
assert valid
try:
    patterned.publish("sqlite:///pattern.db")
except OperationalError as error:
    assert "user-defined function" in str(error), error
    failure = type(error).__name__
else:
    raise AssertionError("it is loaded")
assert count("pattern.db") == 0
loaded = load_for_datasette("pattern")
assert loaded.returncode != 0 and failure in loaded.stderr, loaded

describe("plain", {}).publish("sqlite:///plain.db")
assert load_for_datasette("plain").returncode == 0
rows = {count("plain.db"), count("plain2.db")}
assert rows == {2}, rows
print(f"valid {valid}; with a pattern: {failure}, 0 rows; without: 2 rows in both")
PYTHON
venv/bin/python check.py
