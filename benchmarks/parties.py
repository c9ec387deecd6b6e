"""Who is measured: the record's own server, its peers and its limits."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from app.mirror.rules import quoted
from benchmarks.peers.bare import read
from benchmarks.servers import HOST, Server, free_port
from benchmarks.tools import peer, program

_NGINX = Path(__file__).parent / "peers" / "nginx.conf"
_MIRROR = Path(__file__).parent / "peers" / "mirror.conf"


def ours(corpus: Path, *, keep: bool = True) -> Server:
    """The record's own server on a compiled corpus; without its kept answers if so wanted."""
    port = free_port()
    command = [sys.executable, "-m", "app", "serve"]
    cache = {} if keep else {"CACHE_BYTES": "0"}
    return Server(port, command, "/readyz", {**_settings(corpus, port), **cache})


def counted(corpus: Path) -> Server:
    """The same application, counting what its kept answers did not answer."""
    port = free_port()
    command = [sys.executable, *_uvicorn("benchmarks.counted:app", port)]
    return Server(port, command, "/readyz", _settings(corpus, port))


def asgi(name: str, ready: str = "/ready", **environment: str) -> Server:
    """One of the peers' applications, on the same server with the same settings."""
    port = free_port()
    command = [peer("python"), *_uvicorn(f"benchmarks.peers.{name}:app", port)]
    return Server(port, command, ready, environment)


def datasette(database: Path) -> Server:
    """Datasette on an immutable database."""
    return asgi("catalogue", "/-/versions.json", DATABASE=str(database))


def roapi(rows: Path) -> Server:
    """ROAPI on rows as newline-delimited JSON."""
    port = free_port()
    listen = ["--addr-http", f"{HOST}:{port}", "--addr-postgres", f"{HOST}:{free_port()}"]
    command = [peer("roapi"), *listen, "--table", f"awards={rows},format=ndjson"]
    return Server(port, command, "/api/schema", {"RUST_LOG": "error"})


def nginx(answer: Path) -> Server:
    """Nginx giving the bytes of a file, with one worker.

    Raises:
        Missing: It is not installed.
    """
    port, folder = free_port(), answer.parent / f"{answer.name}-nginx"
    folder.mkdir(exist_ok=True)
    headers, body = read(answer)
    (folder / "body").write_bytes(body)
    added = "".join(
        f"add_header {name.decode()} {quoted(value.decode())}; "
        for name, value in headers
        if name not in (b"content-length", b"content-type")
    )
    filled = {"folder": str(folder), "port": str(port), "headers": added}
    filled["user"] = "user root;" if os.geteuid() == 0 else ""
    configuration = _NGINX.read_text("utf-8")
    for name, value in filled.items():
        configuration = configuration.replace("{" + name + "}", value)
    (folder / "nginx.conf").write_text(configuration, "utf-8")
    return Server(port, [program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")])


def mirror(folder: Path) -> Server:
    """Nginx on a mirror, by the site's file that is in it, with one worker.

    Raises:
        Missing: It is not installed.
    """
    port, work = free_port(), folder.with_name("mirror-nginx")
    work.mkdir(exist_ok=True)
    site = (folder / "nginx.conf").read_text("utf-8").replace("/srv/mirror/", f"{folder}/")
    (work / "site.conf").write_text(site.replace("8080", f"{HOST}:{port}"), "utf-8")
    filled = {"folder": str(work), "user": "user root;" if os.geteuid() == 0 else ""}
    configuration = _MIRROR.read_text("utf-8")
    for name, value in filled.items():
        configuration = configuration.replace("{" + name + "}", value)
    (work / "nginx.conf").write_text(configuration, "utf-8")
    command = [program("nginx"), "-p", str(work), "-c", str(work / "nginx.conf")]
    return Server(port, command, "/v1")


def _settings(corpus: Path, port: int) -> dict[str, str]:
    files = {"SEED_FILE": corpus / "seed.json", "ARCHIVE_FILE": corpus / "archive.sqlite"}
    place = {"HOST": HOST, "PORT": str(port)}
    plain = {"ACCESS_LOG": "false", "WORKERS": "1", "LOG_LEVEL": "warning"}
    return {**{name: str(path) for name, path in files.items()}, **place, **plain}


def _uvicorn(target: str, port: int) -> list[str]:
    """Arguments that serve an application with the settings of the record's own server."""
    plain = ["--no-access-log", "--no-server-header", "--no-proxy-headers"]
    fast = ["--http", "httptools", "--loop", "uvloop", "--log-level", "warning"]
    return ["-m", "uvicorn", target, "--host", HOST, "--port", str(port), *plain, *fast]
