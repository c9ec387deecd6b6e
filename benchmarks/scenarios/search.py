"""Full-text search latency, one search at a time, uncached."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks import systems
from benchmarks.corpus import COMMON_WORD
from benchmarks.fetch import fetch
from benchmarks.load import Load
from benchmarks.measurements import Benchmark
from benchmarks.servers import running

CPC_RECORD = "/v1/search?q={word}&limit=20"
GENERATED_RARE_WORD = r"rare\d{9}"
SHIPPED_RARE_WORD = r"[a-z]{12,}"
DATASETTE = "/peers/resources.json?_search={word}&_size=20&_shape=objects"


def measure(benchmark: Benchmark) -> None:
    """Measure median latencies."""
    with ExitStack() as stack:
        large = stack.enter_context(running(systems.cpc_record(benchmark.large)))
        shipped = stack.enter_context(running(systems.cpc_record(benchmark.shipped)))
        database = benchmark.large / "peers.sqlite"
        datasette = stack.enter_context(running(systems.datasette(database)))
        common, spellings = write_common_word(benchmark.large)
        loads = {
            "rare word, 100,000": rare_words(large, benchmark.large, GENERATED_RARE_WORD),
            "rare word, shipped": rare_words(shipped, benchmark.shipped, SHIPPED_RARE_WORD),
            "common word, cpc-record": Load(
                large, CPC_RECORD, 1, lines=common, spellings=spellings
            ),
            "common word, Datasette": Load(
                datasette, DATASETTE, 1, lines=common, spellings=spellings
            ),
        }
        _check_same(benchmark, large, datasette)
        benchmark.run_interleaved(loads, latency=True)


def _check_same(benchmark: Benchmark, base_url: str, datasette: str) -> None:
    """Check that Datasette uses its full-text index and finds the same number of rows."""
    check = benchmark.measurements.check
    total = fetch(base_url, f"/v1/search?q={COMMON_WORD}&limit=1").json()["meta"]["total"]
    body = fetch(datasette, DATASETTE.format(word=COMMON_WORD)).json()
    check("match" in body["query"]["sql"], "Datasette uses its full-text index.")
    same = body["filtered_table_rows_count"] == total
    check(same, f"Both find the common word in {total:,} rows.")


def write_common_word(folder: Path) -> tuple[Path, int]:
    """Write the word of every resource to a file; returns its path and the number of spellings.

    Search ignores case but cache keys do not, so each upper- and lowercase spelling is a distinct
    URL. The word is written twice to have enough of them.
    """
    path = folder / "common.txt"
    path.write_text(f"{COMMON_WORD}%20{COMMON_WORD}", "utf-8")
    return path, 2 ** (2 * len(COMMON_WORD))


def rare_words(base_url: str, folder: Path, pattern: str, rows: int = -1) -> Load:
    """Searches for words that match a pattern and occur in a single resource.

    Args:
        base_url: The server.
        folder: Directory of the corpus.
        pattern: Regular expression of the words.
        rows: Number of resources whose words are counted; all by default.
    """
    lines = folder / "rare.txt"
    with closing(sqlite3.connect(folder / "archive.sqlite")) as connection:
        texts = connection.execute("SELECT title || ' ' || body FROM search LIMIT ?", (rows,))
        counts = Counter(
            word for (text,) in texts for word in set(re.findall(rf"\b{pattern}\b", text, re.ASCII))
        )
    rare = [word for word, count in counts.items() if count == 1]
    lines.write_text("\n".join(rare), "utf-8")
    letters = min(sum(character.isalpha() for character in word) for word in rare)
    return Load(base_url, CPC_RECORD, 1, lines=lines, spellings=2**letters)
