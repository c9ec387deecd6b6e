#!/usr/bin/env bash
# cffconvert 2.0.0 and rispy 0.10.0 (PyPI): RIS made from a valid CITATION.cff is read as no works at all.
#
# Expected: rispy reads one work from what cffconvert writes as RIS.
# Seen: cffconvert ends the record with "ER" instead of "ER  - ". rispy then returns an empty list, without
# an error or a warning; with the rest of the tag added, it reads the work. The type is GEN, not DATA.
# Output: rispy 0.10.0 reads 0 works from RIS of cffconvert 2.0.0, and 1 with a complete last tag
#
# Why a publisher cares: an import that reports success and adds nothing is found by readers, late. Count
# the works in a test.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check cffconvert==2.0.0 rispy==0.10.0 >pip.log 2>&1 ||
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
venv/bin/cffconvert --format ris >work.ris
grep -q "^TY  - GEN$" work.ris
sed 's/^ER$/ER  - /' work.ris >complete.ris

count() {
    venv/bin/python -W error -c 'import rispy, sys; print(len(rispy.loads(sys.stdin.read())))' <"$1"
}
seen="$(count work.ris) works from RIS of cffconvert 2.0.0, and $(count complete.ris)"
if [ "$seen" != "0 works from RIS of cffconvert 2.0.0, and 1" ]; then
    echo "rispy or cffconvert has changed: $seen"
    exit 1
fi
echo "rispy 0.10.0 reads $seen with a complete last tag"
