"""Full text, one search at a time, none asked for before."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks import parties
from benchmarks.corpus import EVERYWHERE
from benchmarks.fetch import fetch
from benchmarks.load import Load
from benchmarks.measurements import Bench
from benchmarks.servers import running

OURS = "/v1/search?q={word}&limit=20"
DATASETTE = "/peers/resources.json?_search={word}&_size=20&_shape=objects"


def measure(bench: Bench) -> None:
    """Measure median latencies."""
    with ExitStack() as stack:
        large = stack.enter_context(running(parties.ours(bench.large)))
        shipped = stack.enter_context(running(parties.ours(bench.shipped)))
        rows = stack.enter_context(running(parties.datasette(bench.large / "peers.sqlite")))
        common, spellings = common_word(bench.large)
        loads = {
            "rare word, 100,000": _rare(large, bench.large, r"rare\d{9}"),
            "rare word, shipped": _rare(shipped, bench.shipped, r"[a-z]{12,}"),
            "common word": Load(large, OURS, 1, lines=common, spellings=spellings),
            "common word, Datasette": Load(rows, DATASETTE, 1, lines=common, spellings=spellings),
        }
        _check_same(bench, large, rows)
        bench.take_turns(loads, latency=True)


def _check_same(bench: Bench, ours: str, theirs: str) -> None:
    """Both search, and find as much."""
    total = fetch(ours, f"/v1/search?q={EVERYWHERE}&limit=1").json()["meta"]["total"]
    found = fetch(theirs, DATASETTE.format(word=EVERYWHERE)).json()
    searched = "match" in found["query"]["sql"]
    bench.found.check(searched, "Datasette searches its full-text index.")
    same = found["filtered_table_rows_count"] == total
    bench.found.check(same, f"The common word is found in {total:,} rows by both.")


def common_word(folder: Path) -> tuple[Path, int]:
    """A file that holds the word in every resource, and how many spellings it has there.

    Twice, so that it has enough: large and small letters are the same to a search, not to a cache.
    """
    path = folder / "common.txt"
    path.write_text(f"{EVERYWHERE}%20{EVERYWHERE}", "utf-8")
    return path, 2 ** (2 * len(EVERYWHERE))


def _rare(base: str, folder: Path, pattern: str) -> Load:
    """Searches for words that stand in one resource only."""
    lines = folder / "rare.txt"
    with closing(sqlite3.connect(folder / "peers.sqlite")) as connection:
        rows = connection.execute("SELECT title || ' ' || body FROM resources").fetchall()
    found = Counter(
        word for (text,) in rows for word in set(re.findall(rf"\b{pattern}\b", text, re.ASCII))
    )
    rare = [word for word, times in found.items() if times == 1]
    lines.write_text("\n".join(rare), "utf-8")
    letters = min(sum(letter.isalpha() for letter in word) for word in rare)
    return Load(base, OURS, 1, lines=lines, spellings=2**letters)
