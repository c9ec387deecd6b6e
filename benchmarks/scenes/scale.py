"""One hundred thousand resources against the shipped record, nothing kept, one at a time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import parties
from benchmarks.fetch import fetch
from benchmarks.load import Load
from benchmarks.measurements import Bench
from benchmarks.servers import running

PAGE = 2
FORM = "/v1/awards?trafficking_form=labor&announced__lte={date}&limit="


def measure(bench: Bench) -> None:
    """Measure median latencies, and single items against Datasette's row page."""
    with ExitStack() as stack:
        large = stack.enter_context(running(parties.ours(bench.large, keep=False)))
        shipped = stack.enter_context(running(parties.ours(bench.shipped, keep=False)))
        rows = stack.enter_context(running(parties.datasette(bench.large / "peers.sqlite")))
        matching = fetch(shipped, FORM.format(date="2031-01-01") + "1").json()["meta"]["total"]
        latencies: dict[str, Load] = {}
        for name, base, folder in (
            ("100,000", large, bench.large),
            ("shipped", shipped, bench.shipped),
        ):
            deep, ids = _walk(base, "activities", folder)
            item = Load(base, "/v1/activities/{line}", 1, lines=ids)
            latencies |= {
                f"item, {name}": item,
                f"deep page, {name}": Load(base, deep, 1),
                f"filtered third, {name}": Load(base, f"{FORM}{matching}", 1),
            }
        _check_third(bench, large)
        bench.take_turns(latencies, latency=True)
        _, awards = _walk(large, "awards", bench.large)
        single = {
            "cold item": Load(large, "/v1/awards/{line}", lines=awards),
            "Datasette row": Load(rows, "/peers/awards/{line}.json?_shape=objects", lines=awards),
        }
        bench.take_turns(single)


def _walk(base: str, collection: str, folder: Path) -> tuple[str, Path]:
    """Follow the pages to nine tenths of a collection: a page there, and a file of all the ids."""
    first = fetch(base, f"/v1/{collection}?limit=1").json()
    total: int = first["meta"]["total"]
    ids: list[str] = []
    deep = ""
    step = min(1_000, max(total // 10, 1))
    following: str | None = f"/v1/{collection}?limit={step}"
    while following:
        page: dict[str, Any] = fetch(base, following).json()
        ids += [one["id"] for one in page["data"]]
        following = page["links"]["next"]
        if not deep and following and len(ids) >= total * 0.7 and len(ids) + step >= total * 0.9:
            deep = following.replace(f"limit={step}", f"limit={PAGE}")
    lines = folder / f"{collection}.txt"
    lines.write_text("\n".join(ids), "utf-8")
    return deep, lines


def _check_third(bench: Bench, base: str) -> None:
    everything = fetch(base, "/v1/awards?limit=1").json()["meta"]["total"]
    selected = fetch(base, "/v1/awards?trafficking_form=labor&limit=1").json()["meta"]["total"]
    third = 0.3 < selected / everything < 0.37
    bench.found.check(third, "The filter selects a third of the large corpus's awards.")
