#!/usr/bin/env bash
# PyLD 3.3.0 (PyPI: PyLD 3.3.0): relative ids become addresses at example.org.
#
# Expected: a JSON-LD document that is not loaded from an address, and has no @base, has no base: its
# relative ids stay relative, are left out of RDF, or are an error, as in jsonld 9.0.0 (npm).
# Seen: PyLD resolves them against http://example.org/, without a warning, in `expand`, `to_rdf` and
# `normalize`. jsonld keeps "/v1/awards/a" in expanded form, and its canonical form is empty.
# Output: "PyLD 3.3.0: http://example.org/v1/awards/a; jsonld 9.0.0: /v1/awards/a"
#
# Why a publisher cares: an API whose ids are paths is read as statements about a site that nobody
# chose, and two publishers with the same paths as one. Ids must be absolute, or the reader must set
# the option `base`.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check PyLD==3.3.0 >pip.log 2>&1 ||
    { cat pip.log; exit 1; }
npm install --silent --no-audit --no-fund --ignore-scripts jsonld@9.0.0 >npm.log 2>&1 ||
    { cat npm.log; exit 1; }

cat >document.json <<'JSON'
{"@id": "/v1/awards/a", "https://schema.org/name": "An award"}
JSON

cat >read.py <<'PYTHON'
"""Print the id in expanded form; it is in the canonical form, too, unless a base is given."""
import json

from pyld import jsonld

with open("document.json") as file:
    document = json.load(file)
[expanded] = jsonld.expand(document)
canonical = {"algorithm": "URDNA2015", "format": "application/n-quads"}
assert f"<{expanded['@id']}>" in jsonld.normalize(document, canonical)
[based] = jsonld.expand(document, {"base": "https://record.example/"})
assert based["@id"] == "https://record.example/v1/awards/a"
print(expanded["@id"])
PYTHON

cat >read.mjs <<'JAVASCRIPT'
// Print the id in expanded form; the canonical form has no statement about it.
import { readFile } from "node:fs/promises";
import jsonld from "jsonld";

const document = JSON.parse(await readFile("document.json", "utf8"));
const [expanded] = await jsonld.expand(document);
const canonical = { algorithm: "RDFC-1.0", format: "application/n-quads", safe: false };
if ((await jsonld.canonize(document, canonical)) !== "") throw new Error("a statement");
console.log(expanded["@id"]);
JAVASCRIPT

seen="PyLD 3.3.0: $(venv/bin/python read.py); jsonld 9.0.0: $(node read.mjs)"
expected="PyLD 3.3.0: http://example.org/v1/awards/a; jsonld 9.0.0: /v1/awards/a"
if [ "$seen" != "$expected" ]; then
    echo "PyLD or jsonld has changed: $seen"
    exit 1
fi
echo "$seen"
