#!/usr/bin/env bash
# pypandoc-binary 1.17 (pandoc 3.9) and bibtexparser 2.1.0 (PyPI): LaTeX's commands for braces vanish.
#
# Expected: a brace in a title is written as \textbraceleft{}, which is balanced, since BibTeX counts even
# escaped braces; readers that decode LaTeX give the brace back, as they do for \textbackslash{}.
# Seen: both drop it without a word, with the braces before or after the command. They decode \{ and \},
# which is no valid BibTeX unless each has its partner in the same value.
# Output: pandoc 3.9 and bibtexparser 2.1.0: "Set \textbraceleft{}a\textbraceright{}" is read as "Set a"
#
# Why a publisher cares: no way to write a lone brace survives all readers. Replace it in BibTeX, and check
# titles after a round trip.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pypandoc-binary==1.17 bibtexparser==2.1.0 \
    pylatexenc==2.11 >pip.log 2>&1 || { cat pip.log; exit 1; }

cat >check.py <<'PYTHON'
import json
import sys

import bibtexparser
import pypandoc
from bibtexparser.middlewares import LatexDecodingMiddleware

TITLES = {
    r"Set \textbraceleft{}a\textbraceright{}": "Set a",
    r"Set {\textbraceleft}a{\textbraceright}": "Set a",
    r"Set \{a\}": "Set {a}",
    r"Set \textbackslash{}a": r"Set \a",
}


def with_pandoc(entry):
    return json.loads(pypandoc.convert_text(entry, "csljson", format="biblatex"))[0]["title"]


def with_bibtexparser(entry):
    library = bibtexparser.parse_string(entry, append_middleware=[LatexDecodingMiddleware()])
    return library.entries[0]["title"]


for written, expected in TITLES.items():
    entry = f"@dataset{{work, title = {{{written}}}, year = {{2026}}}}"
    seen = [with_pandoc(entry), with_bibtexparser(entry)]
    if seen != [expected, expected]:
        sys.exit(f"pandoc or bibtexparser has changed: {written} is read as {seen}")
first, read = next(iter(TITLES.items()))
print(f'pandoc 3.9 and bibtexparser 2.1.0: "{first}" is read as "{read}"')
PYTHON
venv/bin/python check.py
