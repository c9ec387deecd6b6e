"""Reads BibTeX with bibtexparser 1: `read_classic.py FOLDER` prints the works as JSON."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import bibtexparser
from bibtexparser.bparser import BibTexParser
from bibtexparser.customization import convert_to_unicode

logging.disable(logging.WARNING)
found = {}
for path in sorted(Path(sys.argv[1]).glob("*.bib")):
    parser = BibTexParser(customization=convert_to_unicode, common_strings=True)
    found[path.stem] = bibtexparser.loads(path.read_text("utf-8"), parser).entries
sys.stdout.write(json.dumps(found))
