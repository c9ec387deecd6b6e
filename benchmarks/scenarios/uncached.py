"""Uncached lists with relations and a total: request rate."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from benchmarks import systems
from benchmarks.fetch import fetch
from benchmarks.load import Load
from benchmarks.measurements import Benchmark
from benchmarks.servers import Server, running

CPC_RECORD = "/v1/awards?announced__gte=1991&announced__lte={date}&limit=20"
IDIOMATIC_ASYNC = "/async/awards?announced__gte=1991&announced__lte={date}&limit=20"
DATASETTE = (
    "/peers/awards.json?announced_first__gte=1991-01-01&announced_last__lte={date}"
    "&_sort=announced_first&_size=20&_shape=objects"
)
ROAPI = (
    "/api/tables/awards?filter%5Bannounced_first%5Dgte=%271991-01-01%27"
    "&filter%5Bannounced_last%5Dlte=%27{date}%27&sort=announced_first,id&limit=20"
)
_FIRST_DATE = "2031-01-01"


def measure(benchmark: Benchmark) -> None:
    """Measure requests per second, and prove that no response came from the cache."""
    database = benchmark.small / "peers.sqlite"
    with ExitStack() as stack:

        def start(server: Server) -> str:
            return stack.enter_context(running(server))

        base_url = start(systems.cpc_record(benchmark.small))
        response = fetch(base_url, CPC_RECORD.format(date=_FIRST_DATE))
        saved = str(response.save(benchmark.small / "uncached"))
        idiomatic = start(systems.asgi_peer("idiomatic", DATABASE=str(database)))
        fixed = start(systems.asgi_peer("fixed_response", RESPONSE_FILE=saved))
        datasette = start(systems.datasette(database))
        roapi = start(systems.roapi(benchmark.small / "awards.ndjson"))
        loads = {
            "uncached list": Load(base_url, CPC_RECORD),
            "Datasette, filtered list": Load(datasette, DATASETTE),
            "ROAPI, filtered list": Load(roapi, ROAPI),
            "idiomatic FastAPI, async def": Load(idiomatic, IDIOMATIC_ASYNC),
            "idiomatic FastAPI, def": Load(idiomatic, CPC_RECORD),
            "FastAPI, parameters and fixed response": Load(fixed, CPC_RECORD),
        }
        _check_same(benchmark, response.json(), loads)
        _check_uncached(benchmark)
        benchmark.run_interleaved(loads)


def _check_same(benchmark: Benchmark, expected: dict[str, Any], loads: dict[str, Load]) -> None:
    """Check that every peer returns the same awards and, where it counts, the same total."""
    check = benchmark.measurements.check
    bodies = {
        name: fetch(load.base_url, load.template.format(date=_FIRST_DATE)).json()
        for name, load in loads.items()
    }
    ids, total = [award["id"] for award in expected["data"]], expected["meta"]["total"]
    for name, body in bodies.items():
        rows = body if isinstance(body, list) else body.get("data") or body.get("rows")
        same = [row["id"] for row in rows] == ids
        check(same, f"The same {len(ids)} awards in the same order: {name}.")
    awards = [_with_sorted_lists(award) for award in expected["data"]]
    for name in ("idiomatic FastAPI, async def", "idiomatic FastAPI, def"):
        same = [_with_sorted_lists(award) for award in bodies[name]["data"]] == awards
        check(same, f"The same fields and values of each award: {name}.")
        check(bodies[name]["total"] == total, f"The same total: {name}.")
    datasette_total = bodies["Datasette, filtered list"]["filtered_table_rows_count"]
    check(datasette_total == total, "The same total: Datasette, filtered list.")


def _with_sorted_lists(award: dict[str, Any]) -> dict[str, Any]:
    """An award with its lists sorted, since relations are unordered."""
    return {
        key: sorted(value) if isinstance(value, list) else value for key, value in award.items()
    }


def _check_uncached(benchmark: Benchmark) -> None:
    """Check that every request of this load passes the response cache."""
    with running(systems.counting_app(benchmark.small)) as base_url:
        before = int(fetch(base_url, "/count").body)
        load = Load(base_url, CPC_RECORD)
        completed = load.run(benchmark.seconds).requests
        rendered = int(fetch(base_url, "/count").body) - before
    every = completed <= rendered <= completed + load.connections
    statement = "Every uncached list was rendered (counter behind the response cache)."
    benchmark.measurements.check(every, statement)
