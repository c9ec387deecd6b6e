#!/usr/bin/env bash
# cffconvert 2.0.0 (PyPI): a data set by an institution becomes software by a person.
#
# Expected: from a valid CITATION.cff with `type: dataset` whose author is an entity (`name`), the output
# for schema.org is a Dataset by an Organization.
# Seen: it is a SoftwareSourceCode by a Person, and the same for CodeMeta. The type is not looked at.
# Output: cffconvert 2.0.0: type: dataset by an entity becomes SoftwareSourceCode by Person
#
# Why a publisher cares: repositories and harvesters that convert CITATION.cff list the data as
# software; searches for data sets do not find it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check cffconvert==2.0.0 >pip.log 2>&1 ||
    { cat pip.log; exit 1; }

cat >CITATION.cff <<'YAML'
cff-version: 1.2.0
message: Please cite the record as follows.
type: dataset
title: A record of grants
authors:
  - name: A Statistical Office
version: "2.1.0"
date-released: 2026-11-24
YAML
venv/bin/cffconvert --validate >valid.txt
grep -q "valid according to schema version 1.2.0" valid.txt

types() {
    venv/bin/cffconvert --format "$1" | python3 -c '
import json, sys
work = json.load(sys.stdin)
print(work["@type"], "by", work["author"][0]["@type"])'
}
expected="SoftwareSourceCode by Person"
for format in schema.org codemeta; do
    seen=$(types "$format")
    if [ "$seen" != "$expected" ]; then
        echo "cffconvert 2.0.0 has changed: $format is $seen"
        exit 1
    fi
done
echo "cffconvert 2.0.0: type: dataset by an entity becomes $expected"
