"""Kept answers, against the limit of the server under them and against the peers."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from benchmarks import parties
from benchmarks.fetch import Answer, fetch
from benchmarks.load import Load
from benchmarks.measurements import Bench
from benchmarks.servers import Server, running
from benchmarks.tools import Missing

LIST = "/v1/awards?limit=20"
ZSTD = {"Accept-Encoding": "zstd"}


def measure(bench: Bench) -> None:
    """Measure requests a second."""
    with ExitStack() as stack:

        def up(server: Server) -> str:
            return stack.enter_context(running(server))

        base = up(parties.ours(bench.small))
        item = f"/v1/awards/{fetch(base, LIST).json()['data'][0]['id']}"
        loads = {"kept 304": _unchanged(base)}
        for name, path, headers in (
            ("list", LIST, {}),
            ("list, zstd", LIST, ZSTD),
            ("item", item, {}),
        ):
            answer = fetch(base, path, headers)
            written = answer.write(bench.small / name.replace(", ", "-"))
            bare = up(parties.asgi("bare", "/", ANSWER=str(written)))
            _check_same(bench, answer, fetch(bare, "/"), f"kept {name}", "the bare ASGI function")
            loads[f"kept {name}"] = Load(base, path, headers=headers)
            loads[f"bare {name}"] = Load(bare, "/", headers=headers)
        listed = bench.small / "list"
        fixed = up(parties.asgi("fixed", ANSWER=str(listed)))
        _check_same(bench, fetch(base, LIST), fetch(fixed, "/bare"), "kept list", "fixed FastAPI")
        loads["fixed FastAPI"] = Load(fixed, "/bare")
        loads["Datasette list"] = Load(
            up(parties.datasette(bench.small / "peers.sqlite")),
            "/peers/awards.json?_size=20&_shape=objects",
        )
        rows = up(parties.roapi(bench.small / "awards.ndjson"))
        loads["ROAPI list"] = Load(rows, "/api/tables/awards?limit=20")
        _add_nginx(bench, loads, stack, listed)
        bench.take_turns(loads)


def _unchanged(base: str) -> Load:
    etag = fetch(base, LIST).header("etag")
    if fetch(base, LIST, {"If-None-Match": etag}).status != 304:
        raise AssertionError("no 304 to a client that has the answer")
    return Load(base, LIST, headers={"If-None-Match": etag})


def _add_nginx(bench: Bench, loads: dict[str, Load], stack: ExitStack, listed: Path) -> None:
    try:
        server = parties.nginx(listed)
    except Missing as error:
        bench.found.missing["nginx list"] = str(error)
        return
    base = stack.enter_context(running(server))
    _check_same(bench, fetch(loads["kept list"].base, LIST), fetch(base, "/"), "kept list", "nginx")
    loads["nginx list"] = Load(base, "/")


def _check_same(bench: Bench, ours: Answer, theirs: Answer, what: str, whose: str) -> None:
    same = ours.body == theirs.body and sorted(ours.headers) == sorted(theirs.headers)
    bench.found.check(same, f"The {what} has the same body and headers from {whose}.")
