"""Cached responses: request rate against upper bounds and peers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks import systems
from benchmarks.fetch import Response, fetch
from benchmarks.load import Load
from benchmarks.measurements import Benchmark
from benchmarks.servers import Server, running
from benchmarks.tools import UnavailableError

LIST = "/v1/awards?limit=20"
ZSTD = {"Accept-Encoding": "zstd"}

Start = Callable[[Server], str]
"""Starts a server until the scenario ends and returns its base URL."""


def measure(benchmark: Benchmark) -> None:
    """Measure requests per second."""
    with ExitStack() as stack:

        def start(server: Server) -> str:
            return stack.enter_context(running(server))

        base_url = start(systems.cpc_record(benchmark.small))
        item = f"/v1/awards/{fetch(base_url, LIST).json()['data'][0]['id']}"
        loads = {"cached 304": _not_modified(base_url)}
        for name, path, headers in (
            ("list", LIST, {}),
            ("list, zstd", LIST, ZSTD),
            ("item", item, {}),
        ):
            response = fetch(base_url, path, headers)
            saved = response.save(benchmark.small / name.replace(", ", "-"))
            bare = start(systems.asgi_peer("bare_asgi", "/", RESPONSE_FILE=str(saved)))
            _check_same(benchmark, response, fetch(bare, "/"), f"cached {name}", "bare ASGI")
            loads[f"cached {name}"] = Load(base_url, path, headers=headers)
            loads[f"bare ASGI {name}"] = Load(bare, "/", headers=headers)
        saved_list = benchmark.small / "list"
        loads |= _peers(benchmark, base_url, saved_list, start)
        loads |= _nginx(benchmark, base_url, saved_list, start)
        benchmark.run_interleaved(loads)


def _peers(benchmark: Benchmark, base_url: str, saved_list: Path, start: Start) -> dict[str, Load]:
    """Start the peers written in Python and Rust; returns their loads by name."""
    fixed = start(systems.asgi_peer("fixed_response", RESPONSE_FILE=str(saved_list)))
    response, fixed_response = fetch(base_url, LIST), fetch(fixed, "/bare")
    _check_same(benchmark, response, fixed_response, "cached list", "FastAPI, fixed response")
    datasette = start(systems.datasette(benchmark.small / "peers.sqlite"))
    roapi = start(systems.roapi(benchmark.small / "awards.ndjson"))
    return {
        "FastAPI, fixed response": Load(fixed, "/bare"),
        "Datasette list": Load(datasette, "/peers/awards.json?_size=20&_shape=objects"),
        "ROAPI list": Load(roapi, "/api/tables/awards?limit=20"),
    }


def _not_modified(base_url: str) -> Load:
    """Conditional requests with the current entity tag."""
    headers = {"If-None-Match": fetch(base_url, LIST).header("etag")}
    if fetch(base_url, LIST, headers).status != 304:
        raise AssertionError("expected 304 for If-None-Match with the current ETag")
    return Load(base_url, LIST, headers=headers)


def _nginx(benchmark: Benchmark, base_url: str, saved_list: Path, start: Start) -> dict[str, Load]:
    """Start nginx with a static file; returns its load by name, or nothing if not installed."""
    name = "nginx, static file"
    try:
        server = systems.nginx(saved_list)
    except UnavailableError as error:
        benchmark.measurements.skipped[name] = str(error)
        return {}
    nginx = start(server)
    _check_same(benchmark, fetch(base_url, LIST), fetch(nginx, "/"), "cached list", "nginx")
    return {name: Load(nginx, "/")}


def _check_same(
    benchmark: Benchmark, response: Response, peer_response: Response, name: str, peer: str
) -> None:
    same_headers = sorted(response.headers) == sorted(peer_response.headers)
    same = response.body == peer_response.body and same_headers
    statement = f"The {name} has the same body and headers as from {peer}."
    benchmark.measurements.check(same, statement)
