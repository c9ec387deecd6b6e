"""A mirror behind a real web server, on a port of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port, needs

_NGINX = """
{user}
daemon off;
worker_processes 1;
error_log stderr crit;
pid {work}/nginx.pid;
events {{ worker_connections 64; }}
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
"""As Debian's, it compresses where it may."""


@contextmanager
def nginx(mirror: Path, work: Path) -> Iterator[str]:
    """Address of nginx on a mirror, by the site's file that is in it."""
    os.environ["PATH"] += ":/usr/sbin"
    program = needs("nginx", "a mirror is tried behind it")
    work.mkdir(parents=True)
    port = free_port()
    site = (mirror / "nginx.conf").read_text("utf-8")
    assert site.count("/srv/mirror/") == 3
    site = site.replace("/srv/mirror/", f"{mirror}/").replace("8080", f"127.0.0.1:{port}")
    (work / "site.conf").write_text(site, "utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    (work / "main.conf").write_text(_NGINX.format(work=work, user=user), "utf-8")
    with _running([program, "-p", str(work), "-c", str(work / "main.conf")], port) as address:
        yield address


@contextmanager
def caddy(mirror: Path, work: Path) -> Iterator[str]:
    """Address of Caddy on a mirror, by the file that is in it."""
    program = needs("caddy", "a mirror is tried behind it")
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
    with _running(command, port, **environment) as address:
        yield address


SERVERS = {"nginx": nginx, "caddy": caddy}


@contextmanager
def _running(command: list[str], port: int, **environment: str) -> Iterator[str]:
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, process)
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _wait(address: str, process: subprocess.Popen[str], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the server ended: {process.communicate()[1]}")
        try:
            httpx.get(f"{address}/v1")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"no answer from {address} in {seconds} seconds")


def installed(name: str) -> bool:
    """Whether a program is there."""
    return shutil.which(name) is not None
