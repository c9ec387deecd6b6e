#!/usr/bin/env bash
# datasette 1.0a41 and 0.65.5 (PyPI): a text primary key is taken for the label of its table.
#
# Expected: a reference to a row is shown as the `name` of that row, as in Datasette 0.65; the key could not
# be its own label.
# Seen: Datasette 1.0 prefers the only text column with a unique index, and the index that SQLite makes for
# a primary key of type TEXT counts. So the id is shown as its own label. With a key of type INTEGER, the
# same table has its names for labels.
# Output: label of a row: International Labor Organization (0.65.5), ilo (1.0a41), and again
#   International Labor Organization with an integer key (1.0a41)
#
# Why a publisher cares: data with permanent readable ids, and a `name` beside each, loses its names in every
# linked table, page and facet when Datasette is upgraded, without an error; `label_column` has to be set for
# each table.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
for pinned in datasette==0.65.5 datasette==1.0a41; do
    version=${pinned#*==}
    python3 -m venv "$version"
    "$version/bin/pip" install --quiet --disable-pip-version-check "$pinned" >pip.log 2>&1 ||
        { cat pip.log; exit 1; }
done

cat >make.py <<'PYTHON'
import sqlite3

for name, key, value in (("text", "TEXT", "ilo"), ("number", "INTEGER", 7)):
    connection = sqlite3.connect(f"{name}.db")
    connection.executescript(f"""
        CREATE TABLE organizations (id {key} NOT NULL PRIMARY KEY, name TEXT NOT NULL);
        CREATE TABLE awards (id {key} NOT NULL PRIMARY KEY, recipient {key} REFERENCES organizations (id));
    """)
    connection.execute("INSERT INTO organizations VALUES (?, 'International Labor Organization')", (value,))
    connection.execute("INSERT INTO awards VALUES (?, ?)", (value, value))
    connection.commit()
PYTHON
python3 make.py

label() {
    "$1/bin/datasette" --get "/$2/awards.json?_labels=on&_shape=array" "$2.db" 2>datasette.log |
        python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["recipient"]["label"])'
}
stable=$(label 0.65.5 text)
next=$(label 1.0a41 text)
number=$(label 1.0a41 number)
[ "$stable" = "International Labor Organization" ]
[ "$next" = "ilo" ]
[ "$number" = "International Labor Organization" ]
echo "label of a row: $stable (0.65.5), $next (1.0a41), and again $number with an integer key (1.0a41)"
