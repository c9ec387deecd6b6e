"""Prints the overview in a file as the package `llms-txt` reads it: `read_llms_text.py FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from llms_txt import parse_llms_file

if __name__ == "__main__":
    read = parse_llms_file(Path(sys.argv[1]).read_text("utf-8"))
    seen = {
        "title": read.title,
        "summary": read.summary,
        "info": read.info,
        "sections": {
            title: [dict(link) for link in links] for title, links in read.sections.items()
        },
    }
    json.dump(seen, sys.stdout)
