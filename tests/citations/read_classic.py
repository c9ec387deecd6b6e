"""Reads BibTeX with bibtexparser 1: `read_classic.py LIBRARY FOLDER` prints the works as JSON.

LIBRARY is the directory that version 1 is installed in.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

library, folder = sys.argv[1:]
sys.path.insert(0, library)

import bibtexparser  # noqa: E402 - from the library
from bibtexparser.bparser import BibTexParser  # noqa: E402
from bibtexparser.customization import convert_to_unicode  # noqa: E402

logging.disable(logging.WARNING)
found = {}
for path in sorted(Path(folder).glob("*.bib")):
    parser = BibTexParser(customization=convert_to_unicode, common_strings=True)
    found[path.stem] = bibtexparser.loads(path.read_text("utf-8"), parser).entries
sys.stdout.write(json.dumps(found))
