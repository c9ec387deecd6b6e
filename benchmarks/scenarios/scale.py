"""Latency on 100,000 resources and on the shipped record, without the cache, one at a time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import systems
from benchmarks.fetch import fetch
from benchmarks.load import Load
from benchmarks.measurements import Benchmark
from benchmarks.servers import running

PAGE_SIZE = 2
FILTERED = "/v1/awards?trafficking_form=labor&announced__lte={date}&limit="


def measure(benchmark: Benchmark) -> None:
    """Measure median latencies, and the rate of single items against Datasette's row page."""
    with ExitStack() as stack:
        large = stack.enter_context(running(systems.cpc_record(benchmark.large, cache=False)))
        small = stack.enter_context(running(systems.cpc_record(benchmark.small, cache=False)))
        shipped = stack.enter_context(running(systems.cpc_record(benchmark.shipped, cache=False)))
        database = benchmark.large / "peers.sqlite"
        datasette = stack.enter_context(running(systems.datasette(database)))
        loads: dict[str, Load] = {}
        matches = count_matches(shipped)
        for name, base_url, folder in (
            ("100,000", large, benchmark.large),
            ("500", small, benchmark.small),
            ("shipped", shipped, benchmark.shipped),
        ):
            loads |= latency_loads(name, base_url, folder, matches)
        check_third(benchmark, large)
        benchmark.run_interleaved(loads, latency=True)
        _, ids = _crawl(large, "awards", benchmark.large)
        row_page = "/peers/awards/{line}.json?_shape=objects"
        items = {
            "uncached item": Load(large, "/v1/awards/{line}", lines=ids),
            "Datasette row page": Load(datasette, row_page, lines=ids),
        }
        benchmark.run_interleaved(items)


def count_matches(shipped: str) -> int:
    """Number of items in the shipped record that match the filter: the page size of all lists."""
    page = fetch(shipped, FILTERED.format(date="2031-01-01") + "1")
    return int(page.json()["meta"]["total"])


def latency_loads(name: str, base_url: str, folder: Path, matches: int) -> dict[str, Load]:
    """An item, a deep page and a list under a filter with a new total, one request at a time.

    Args:
        name: Name of the corpus, after that of the load.
        base_url: The server.
        folder: Directory of the corpus.
        matches: Page size of the filtered list.
    """
    deep_page, ids = _crawl(base_url, "activities", folder)
    return {
        f"item, {name}": Load(base_url, "/v1/activities/{line}", 1, lines=ids),
        f"deep page, {name}": Load(base_url, deep_page, 1),
        f"filter matching a third, {name}": Load(base_url, f"{FILTERED}{matches}", 1),
    }


def _crawl(base_url: str, collection: str, folder: Path) -> tuple[str, Path]:
    """Follow the pages of a collection: a page at 90 % depth, and a file of all ids."""
    first = fetch(base_url, f"/v1/{collection}?limit=1").json()
    total: int = first["meta"]["total"]
    ids: list[str] = []
    deep_page = ""
    limit = min(1_000, max(total // 10, 1))
    next_page: str | None = f"/v1/{collection}?limit={limit}"
    while next_page:
        page: dict[str, Any] = fetch(base_url, next_page).json()
        ids += [resource["id"] for resource in page["data"]]
        next_page = page["links"]["next"]
        deep = len(ids) >= total * 0.7 and len(ids) + limit >= total * 0.9
        if not deep_page and next_page and deep:
            deep_page = next_page.replace(f"limit={limit}", f"limit={PAGE_SIZE}")
    lines = folder / f"{collection}.txt"
    lines.write_text("\n".join(ids), "utf-8")
    return deep_page, lines


def check_third(benchmark: Benchmark, base_url: str) -> None:
    """Check that the filter matches a third of a corpus."""
    total = fetch(base_url, "/v1/awards?limit=1").json()["meta"]["total"]
    matches = fetch(base_url, "/v1/awards?trafficking_form=labor&limit=1").json()["meta"]["total"]
    third = 0.3 < matches / total < 0.37
    statement = "The filter matches a third of the awards in the large corpus."
    benchmark.measurements.check(third, statement)
