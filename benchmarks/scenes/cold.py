"""Lists that were never asked for before, with relations and a total."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from benchmarks import parties
from benchmarks.fetch import fetch
from benchmarks.load import Load
from benchmarks.measurements import Bench
from benchmarks.servers import Server, running

OURS = "/v1/awards?announced__gte=1991&announced__lte={date}&limit=20"
IDIOMATIC = "/async/awards?announced__gte=1991&announced__lte={date}&limit=20"
DATASETTE = (
    "/peers/awards.json?announced_first__gte=1991-01-01&announced_last__lte={date}"
    "&_sort=announced_first&_size=20&_shape=objects"
)
ROAPI = (
    "/api/tables/awards?filter%5Bannounced_first%5Dgte=%271991-01-01%27"
    "&filter%5Bannounced_last%5Dlte=%27{date}%27&sort=announced_first,id&limit=20"
)


def measure(bench: Bench) -> None:
    """Measure requests a second, and prove that none was answered from what was kept."""
    with ExitStack() as stack:

        def up(server: Server) -> str:
            return stack.enter_context(running(server))

        base = up(parties.ours(bench.small))
        answer = fetch(base, OURS.format(date="2031-01-01"))
        written = answer.write(bench.small / "cold")
        idiomatic = up(parties.asgi("idiomatic", DATABASE=str(bench.small / "peers.sqlite")))
        loads = {
            "cold list": Load(base, OURS),
            "Datasette filtered": Load(
                up(parties.datasette(bench.small / "peers.sqlite")), DATASETTE
            ),
            "ROAPI filtered": Load(up(parties.roapi(bench.small / "awards.ndjson")), ROAPI),
            "idiomatic FastAPI, async def": Load(idiomatic, IDIOMATIC),
            "idiomatic FastAPI, def": Load(idiomatic, OURS),
            "fixed FastAPI, parameters": Load(up(parties.asgi("fixed", ANSWER=str(written))), OURS),
        }
        _check_same(bench, answer.json(), loads)
        _prove(bench)
        bench.take_turns(loads)


def _check_same(bench: Bench, ours: dict[str, Any], loads: dict[str, Load]) -> None:
    """Every peer gives the same awards; the ones that count, the same total."""
    given = {
        name: fetch(load.base, load.template.format(date="2031-01-01")).json()
        for name, load in loads.items()
    }
    ids = [one["id"] for one in ours["data"]]
    for name, body in given.items():
        rows = body if isinstance(body, list) else body.get("data") or body.get("rows")
        same = [one["id"] for one in rows] == ids
        bench.found.check(same, f"The same {len(ids)} awards in the same order: {name}.")
    for name in ("idiomatic FastAPI, async def", "idiomatic FastAPI, def"):
        alike = [_sorted(one) for one in given[name]["data"]] == [
            _sorted(one) for one in ours["data"]
        ]
        bench.found.check(alike, f"The same fields and values of each award: {name}.")
        bench.found.check(given[name]["total"] == ours["meta"]["total"], f"The same total: {name}.")
    counted = given["Datasette filtered"]["filtered_table_rows_count"]
    bench.found.check(counted == ours["meta"]["total"], "The same total: Datasette filtered.")


def _sorted(award: dict[str, Any]) -> dict[str, Any]:
    """An award with its lists in one order: a relation has none."""
    return {key: sorted(one) if isinstance(one, list) else one for key, one in award.items()}


def _prove(bench: Bench) -> None:
    """Count what reaches the inside of the cache under the same load."""
    with running(parties.counted(bench.small)) as base:
        before = int(fetch(base, "/count").body)
        load = Load(base, OURS)
        answered = load.run(bench.seconds).requests
        rendered = int(fetch(base, "/count").body) - before
    every = answered <= rendered <= answered + load.connections
    bench.found.check(
        every, "Each request for a cold list was rendered: a counter inside the cache."
    )
