"""Prints the canonical form of a JSON-LD file: `canonize.py FILE CONTEXT-URL CONTEXT-FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pyld import FrozenDocumentLoader, jsonld


def main(path: str, context_url: str, context_path: str) -> None:
    """Canonize with no context but the given one."""
    context: Any = json.loads(Path(context_path).read_bytes())
    options = {
        "algorithm": "URDNA2015",
        "format": "application/n-quads",
        "documentLoader": FrozenDocumentLoader({context_url: context}),
    }
    sys.stdout.write(jsonld.normalize(json.loads(Path(path).read_bytes()), options))


if __name__ == "__main__":
    main(*sys.argv[1:])
