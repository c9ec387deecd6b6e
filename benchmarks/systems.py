"""The systems under test: cpc-record, its peers, and upper bounds."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from benchmarks.peers.bare_asgi import load_response
from benchmarks.servers import HOST, Server, free_port
from benchmarks.tools import peer, program

_STATIC_FILE_CONFIG = Path(__file__).parent / "peers" / "nginx.conf"
_MIRROR_CONFIG = Path(__file__).parent / "peers" / "mirror.conf"


def cpc_record(
    corpus: Path, *, cache: bool = True, log: Literal["", "console", "json"] = ""
) -> Server:
    """`cpc-record serve` on a compiled corpus.

    Args:
        corpus: Directory of the corpus.
        cache: Whether it has its response cache.
        log: Format of its access log, which is a file; empty for none.
    """
    port = free_port()
    settings = _settings(corpus, port)
    if not cache:
        settings["CACHE_BYTES"] = "0"
    if log:
        settings |= {"ACCESS_LOG": "true", "LOG_LEVEL": "info", "LOG_FORMAT": log}
    command = [sys.executable, "-m", "app", "serve"]
    output = corpus / f"access-{port}.log" if log else None
    return Server(port, command, "/readyz", settings, output=output)


def counting_app(corpus: Path) -> Server:
    """The same application with a counter of the requests that miss the response cache."""
    port = free_port()
    command = [sys.executable, *_uvicorn("benchmarks.counting_app:app", port)]
    return Server(port, command, "/readyz", _settings(corpus, port))


def asgi_peer(name: str, ready_path: str = "/ready", **environment: str) -> Server:
    """An ASGI application from `benchmarks/peers`, on uvicorn with the same options."""
    port = free_port()
    command = [peer("python"), *_uvicorn(f"benchmarks.peers.{name}:app", port)]
    return Server(port, command, ready_path, environment)


def datasette(database: Path) -> Server:
    """Datasette on an immutable database."""
    return asgi_peer("datasette_app", "/-/versions.json", DATABASE=str(database))


def roapi(rows: Path) -> Server:
    """ROAPI on rows in newline-delimited JSON."""
    port = free_port()
    listen = ["--addr-http", f"{HOST}:{port}", "--addr-postgres", f"{HOST}:{free_port()}"]
    command = [peer("roapi"), *listen, "--table", f"awards={rows},format=ndjson"]
    return Server(port, command, "/api/schema", {"RUST_LOG": "error"})


def nginx(response_file: Path) -> Server:
    """Serve a saved response as a static file under nginx with one worker.

    Raises:
        UnavailableError: nginx is not installed.
    """
    port, folder = free_port(), response_file.parent / f"{response_file.name}-nginx"
    folder.mkdir(exist_ok=True)
    headers, body = load_response(response_file)
    (folder / "body").write_bytes(body)
    directives = "".join(
        f"add_header {name.decode()} {_quoted(value.decode())}; "
        for name, value in headers
        if name not in (b"content-length", b"content-type")
    )
    values = {"folder": str(folder), "port": str(port), "headers": directives}
    return Server(port, _nginx_command(_STATIC_FILE_CONFIG, folder, values))


def nginx_mirror(mirror: Path) -> Server:
    """Serve a static mirror under nginx with one worker and the mirror's own configuration.

    Raises:
        UnavailableError: nginx is not installed.
    """
    port, folder = free_port(), mirror.with_name("mirror-nginx")
    folder.mkdir(exist_ok=True)
    site = (mirror / "nginx.conf").read_text("utf-8").replace("/srv/mirror/", f"{mirror}/")
    (folder / "site.conf").write_text(site.replace("8080", f"{HOST}:{port}"), "utf-8")
    return Server(port, _nginx_command(_MIRROR_CONFIG, folder, {"folder": str(folder)}), "/v1")


def _nginx_command(template: Path, folder: Path, values: Mapping[str, str]) -> list[str]:
    """Write a configuration into a directory and return the command that runs nginx with it."""
    configuration = template.read_text("utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    for name, value in {**values, "user": user}.items():
        configuration = configuration.replace("{" + name + "}", value)
    path = folder / "nginx.conf"
    path.write_text(configuration, "utf-8")
    return [program("nginx"), "-p", str(folder), "-c", str(path)]


def _quoted(value: str) -> str:
    """A string literal of nginx's configuration language; values here hold no `$`."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _settings(corpus: Path, port: int) -> dict[str, str]:
    return {
        "SEED_FILE": str(corpus / "seed.json"),
        "ARCHIVE_FILE": str(corpus / "archive.sqlite"),
        "HOST": HOST,
        "PORT": str(port),
        "ACCESS_LOG": "false",
        "WORKERS": "1",
        "LOG_LEVEL": "warning",
    }


def _uvicorn(target: str, port: int) -> list[str]:
    """Python arguments that run an application on uvicorn with the options of `serve`."""
    plain = ["--no-access-log", "--no-server-header", "--no-proxy-headers"]
    fast = ["--http", "httptools", "--loop", "uvloop", "--log-level", "warning"]
    return ["-m", "uvicorn", target, "--host", HOST, "--port", str(port), *plain, *fast]
