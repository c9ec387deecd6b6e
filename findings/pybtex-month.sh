#!/usr/bin/env bash
# pybtex 0.26.1 and pypandoc-binary 1.17 (pandoc 3.9) from PyPI: a round trip through pybtex loses the month.
#
# Expected: an entry with `month = nov`, as BibTeX's manual recommends, has the same date before and after
# pybtex reads and writes it.
# Seen: pybtex writes the month as the text "November", which pandoc does not understand: the date is the
# year alone. `month = {11}` comes through.
# Output: pandoc 3.9: 2026-11 from month = nov, 2026 after pybtex 0.26.1, 2026-11 from month = {11}
#
# Why a publisher cares: a release of November is cited with its year only, and two releases of one year
# cannot be told apart, though no program reported anything. biblatex's `date` would say it whole.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pybtex==0.26.1 pypandoc-binary==1.17 \
    >pip.log 2>&1 || { cat pip.log; exit 1; }

cat >check.py <<'PYTHON'
import json
import sys

import pypandoc
from pybtex.database import parse_string

ENTRY = "@misc{work, author = {{An Office}}, title = {A record}, year = {2026}, month = MONTH}"


def month_read(text):
    [work] = json.loads(pypandoc.convert_text(text, "csljson", format="bibtex"))
    return "-".join(map(str, work["issued"]["date-parts"][0]))


def round_trip(text):
    return parse_string(text, "bibtex").to_string("bibtex")


macro, number = ENTRY.replace("MONTH", "nov"), ENTRY.replace("MONTH", "{11}")
seen = [month_read(text) for text in (macro, round_trip(macro), number, round_trip(number))]
if seen != ["2026-11", "2026", "2026-11", "2026-11"]:
    sys.exit(f"pybtex or pandoc has changed: {seen}")
print(f"pandoc 3.9: {seen[0]} from month = nov, {seen[1]} after pybtex 0.26.1, {seen[2]} from month = {{11}}")
PYTHON
venv/bin/python check.py
