"""The comparisons in the report and their targets, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.earlier import COMMIT


@dataclass(frozen=True, slots=True)
class Comparison:
    """A ratio of the medians of two measurements from one run.

    Attributes:
        label: Text of the row in the report.
        scenario: The scenario that measures both.
        result: Name of the measurement that is the numerator.
        baseline: Name of the measurement that is the denominator; if empty, it is 1.
        bound: Whether the target is a lower or an upper bound of the ratio.
        target: The target ratio; None for information only.
    """

    label: str
    scenario: str
    result: str
    baseline: str
    bound: Literal["at least", "at most"] = "at least"
    target: float | None = None


COMPARISONS = (
    Comparison(
        "Cached list vs bare ASGI, same bytes",
        "cached", "cached list", "bare ASGI list", target=0.92,
    ),
    Comparison(
        "Cached list in zstd vs bare ASGI, same bytes",
        "cached", "cached list, zstd", "bare ASGI list, zstd", target=0.92,
    ),
    Comparison(
        "Cached item vs bare ASGI, same bytes",
        "cached", "cached item", "bare ASGI item", target=0.92,
    ),
    Comparison(
        "Cached 304 vs bare ASGI with the list's bytes",
        "cached", "cached 304", "bare ASGI list", target=1.0,
    ),
    Comparison(
        "Cached list of 20 vs Datasette",
        "cached", "cached list", "Datasette list", target=50,
    ),
    Comparison("Cached list of 20 vs ROAPI", "cached", "cached list", "ROAPI list", target=7),
    Comparison(
        "Cached list vs FastAPI with a fixed response",
        "cached", "cached list", "FastAPI, fixed response",
    ),
    Comparison(
        "Cached list vs nginx with a static file of the same bytes",
        "cached", "cached list", "nginx, static file", target=0.9,
    ),
    *(
        Comparison(
            f"{label} vs commit {COMMIT}",
            "earlier version", name, f"{name}, {COMMIT}", target=target,
        )
        for label, name, target in (
            ("Cached list, default configuration", "list, default", 5.0),
            ("Cached list in zstd, default configuration", "list in zstd, default", 5.0),
            ("Cached item, default configuration", "item, default", 5.0),
            ("Cached 304, default configuration", "304, default", 5.0),
            ("Cached list, log in JSON", "list, JSON log", 5.0),
            ("Cached list, no log", "list, no log", 2.5),
            ("Uncached list, default configuration", "cold list, default", 1.3),
            ("Uncached item, default configuration", "cold item, default", 1.3),
            ("Resources compiled per second, two cores", "resources compiled", 3.0),
        )
    ),
    Comparison(
        "Cached list, default configuration, vs bare ASGI without a log",
        "earlier version", "list, default", "list, bare ASGI", target=1.5,
    ),
    Comparison(
        f"Time to first response vs commit {COMMIT}",
        "earlier version", "start", f"start, {COMMIT}", "at most",
    ),
    Comparison(
        f"Memory (RSS) at first response vs commit {COMMIT}",
        "earlier version", "memory at start", f"memory at start, {COMMIT}", "at most",
    ),
    Comparison(
        "Uncached list vs Datasette",
        "uncached", "uncached list", "Datasette, filtered list", target=5,
    ),
    Comparison(
        "Uncached list vs ROAPI",
        "uncached", "uncached list", "ROAPI, filtered list", target=0.8,
    ),
    Comparison(
        "Uncached list vs idiomatic FastAPI, async def (faster)",
        "uncached", "uncached list", "idiomatic FastAPI, async def", target=6,
    ),
    Comparison(
        "Uncached list vs idiomatic FastAPI, def (more common)",
        "uncached", "uncached list", "idiomatic FastAPI, def", target=6,
    ),
    Comparison(
        "Uncached list vs FastAPI with the same parameters and a fixed response",
        "uncached", "uncached list", "FastAPI, parameters and fixed response", target=0.5,
    ),
    Comparison(
        "Uncached item vs Datasette's row page",
        "scale", "uncached item", "Datasette row page", target=3,
    ),
    Comparison(
        "Item p50, 100,000 resources vs shipped record",
        "scale", "item, 100,000", "item, shipped", "at most", 1.5,
    ),
    Comparison(
        "Page at 90 % depth p50, 100,000 resources vs shipped record",
        "scale", "deep page, 100,000", "deep page, shipped", "at most", 1.5,
    ),
    Comparison(
        "List with a filter matching a third, uncached total, p50, "
        "100,000 resources vs shipped record",
        "scale", "filter matching a third, 100,000", "filter matching a third, shipped",
        "at most", 6,
    ),
    Comparison(
        "Search for a rare word p50, 100,000 resources vs shipped record",
        "search", "rare word, 100,000", "rare word, shipped", "at most", 2,
    ),
    Comparison(
        "Search for a word in every resource p50, Datasette vs cpc-record",
        "search", "common word, Datasette", "common word, cpc-record", target=2,
    ),
    Comparison(
        "Cached response p99 at 10 % of capacity, during slow searches vs without",
        "contention", "cached p99, during searches", "cached p99, no searches", "at most", 3,
    ),
    Comparison(
        "Resources compiled per second, citations included",
        "compile", "resources compiled, with citations", "", target=10_000,
    ),
    Comparison(
        "Resources compiled per second, citations excluded",
        "compile", "resources compiled, without citations", "", target=10_000,
    ),
    Comparison(
        "Peak memory (RSS) while compiling vs seed file size",
        "compile", "compile, peak memory (RSS)", "seed file", "at most", 6,
    ),
    Comparison(
        "Time to first response vs hello-world FastAPI",
        "startup", "first response, cpc-record", "first response, hello world", "at most", 1.15,
    ),
    Comparison(
        "Memory (RSS) at first response vs hello-world FastAPI",
        "startup", "memory (RSS), cpc-record", "memory (RSS), hello world", "at most", 1.15,
    ),
    Comparison(
        "Time to first response, 100,000 resources vs shipped record",
        "startup", "first response, cpc-record, 100,000", "first response, cpc-record", "at most",
    ),
    *(
        Comparison(
            f"Size of /v1/record, {coding} vs identity",
            "compression", f"/v1/record, {coding}", "/v1/record, identity", "at most", 0.35,
        )
        for coding in ("zstd", "br", "gzip")
    ),
    Comparison(
        "Every mirrored URL in turn, nginx vs live server",
        "mirror", "mirror, every URL", "live, every URL",
    ),
    *(
        Comparison(
            f"Mirrored {response}, nginx vs live server",
            "mirror", f"mirror, {response}", f"live, {response}",
        )
        for response in ("list in gzip", "list", "item", "304")
    ),
)  # fmt: skip
