"""Mirrors on disk, and served by a real web server on a free port."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import needs, run_cli
from tests.support.ports import free_port
from tests.support.problem import assert_problem
from tests.support.programs import running

_NGINX_MAIN = """
{user}
daemon off;
worker_processes 1;
error_log stderr crit;
pid {work}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {work}/client;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    gzip on;
    include {work}/site.conf;
}}
"""
"""Main configuration; `gzip on` as in Debian's default."""
_RUN_SECONDS = 600
"""Time for a command, however busy the machine is."""


def freeze(folder: Path, *options: str, **environment: Any) -> None:
    """Write a mirror with the `freeze` command, which must succeed."""
    result = run_cli("freeze", str(folder), *options, timeout=_RUN_SECONDS, **environment)
    assert result.returncode == 0, result.stderr


def verify(mirror: Path, *options: str, **environment: Any) -> subprocess.CompletedProcess[str]:
    """Check a mirror with the `verify` command."""
    arguments = ("verify", "--mirror", str(mirror), *options)
    return run_cli(*arguments, timeout=_RUN_SECONDS, **environment)


def read_manifest(mirror: Path, status: int = 200) -> list[dict[str, Any]]:
    """Every entry of a mirror's manifest with this status."""
    lines = (mirror / "manifest.ndjson").read_bytes().splitlines()
    entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [entry for entry in entries if entry.get("status", 200) == status]


def read_tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and modification time of every file in a folder, by path."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), int(path.stat().st_mtime))
        for path in folder.rglob("*")
        if path.is_file()
    }


def accept_header(entry: dict[str, Any]) -> dict[str, str]:
    """Request headers with which the application returns the representation that is mirrored."""
    if entry["url"] == "/":
        return {"accept": "text/html, */*;q=0.1"}
    return {"accept": "application/x-ndjson"} if "note" in entry else {}


def assert_mirror_problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """Check that a response of a mirror is a problem document, which never varies; return it."""
    return assert_problem(response, status, vary=None)


@contextmanager
def serve_with_nginx(mirror: Path, work: Path) -> Iterator[str]:
    """Address of nginx, configured by the mirror's `nginx.conf`."""
    site = (mirror / "nginx.conf").read_text("utf-8")
    assert site.count("/srv/mirror/") == 3
    with run_nginx(site.replace("/srv/mirror/", f"{mirror}/"), work) as address:
        yield address


@contextmanager
def run_nginx(site: str, work: Path) -> Iterator[str]:
    """Address of nginx with a site, which listens on port 8080 in its configuration."""
    program = shutil.which("nginx", path="/usr/sbin") or needs("nginx", "it serves a mirror")
    work.mkdir(parents=True)
    port = free_port()
    (work / "site.conf").write_text(site.replace("8080", f"127.0.0.1:{port}"), "utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    (work / "main.conf").write_text(_NGINX_MAIN.format(work=work, user=user), "utf-8")
    command = [program, "-p", str(work), "-c", str(work / "main.conf")]
    with running(command, port, work / "stderr.log") as address:
        yield address


@contextmanager
def serve_with_caddy(mirror: Path, work: Path) -> Iterator[str]:
    """Address of Caddy, configured by the mirror's `Caddyfile`."""
    program = needs("caddy", "it serves a mirror")
    work.mkdir(parents=True)
    port = free_port()
    environment = {
        "SITE_ADDRESS": f"http://127.0.0.1:{port}",
        "MIRROR": str(mirror),
        "HOME": str(work),
        "XDG_DATA_HOME": str(work),
        "XDG_CONFIG_HOME": str(work),
    }
    command = [program, "run", "--config", str(mirror / "Caddyfile"), "--adapter", "caddyfile"]
    with running(command, port, work / "stderr.log", work, environment) as address:
        yield address


WEB_SERVERS = {"nginx": serve_with_nginx, "caddy": serve_with_caddy}
