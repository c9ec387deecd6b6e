"""The examples of docs/operations.md are taken by the programs that they are for."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT, free_port, needs

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
ASKED = ("/v1/awards?region=cusco&sort=-title", "/v1/record", "/v1/awards?limit=0", "/v1/awards/")


def example(language: str) -> str:
    """The one example in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


@contextmanager
def running(command: list[str], url: str, verify: ssl.SSLContext) -> Iterator[httpx.Client]:
    """A client of a proxy that is started, and stopped by its id."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, **quiet)  # type: ignore[call-overload]
    try:
        with httpx.Client(base_url=url, verify=verify, trust_env=False) as client:
            _wait(client, process)
            yield client
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _wait(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the proxy ended: {process.communicate()[1].decode()}")
        try:
            client.get("/healthz")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the proxy does not answer")


def assert_nothing_is_lost(client: httpx.Client, server: str) -> None:
    """Status, body, tag and coding are the server's own; a tag is good for a 304."""
    for path in ASKED:
        for coding in ("identity", "gzip", "br"):
            sent = {"Accept-Encoding": coding}
            own = httpx.get(f"{server}{path}", headers=sent)
            seen = client.get(path, headers=sent)
            assert (seen.status_code, seen.content) == (own.status_code, own.content)
            for name in ("etag", "content-encoding", "cache-control", "x-data-release", "vary"):
                assert seen.headers.get(name) == own.headers.get(name)
            if own.status_code == 200:
                known = {**sent, "If-None-Match": own.headers["etag"]}
                assert client.get(path, headers=known).status_code == 304
            assert "strict-transport-security" in seen.headers


def test_nginx_passes_everything_on(server: str, tmp_path: Path) -> None:
    """The example for nginx, with other ports and a certificate, answers as the server does."""
    nginx, openssl = needs("nginx", "it is in the example"), needs("openssl", "for a certificate")
    certificate, key = tmp_path / "record.crt", tmp_path / "record.key"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost", "-out", str(certificate)]
    subprocess.run([openssl, *made, "-keyout", str(key)], check=True, capture_output=True)
    port = free_port()
    text = example("nginx")
    for before, after in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "127.0.0.1:8000": server.removeprefix("http://"),
        "/etc/ssl/record.example.crt": str(certificate),
        "/etc/ssl/record.example.key": str(key),
    }.items():
        assert before in text
        text = text.replace(before, after)
    user = "user root;" if os.geteuid() == 0 else ""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {tmp_path};" for kind in kinds)
    inside = f"access_log off; {folders} {text}"
    whole = f"{user} daemon off; pid {tmp_path}/pid; events {{}} http {{ {inside} }}"
    (tmp_path / "nginx.conf").write_text(whole, "utf-8")
    command = [nginx, "-e", str(tmp_path / "error.log"), "-c", str(tmp_path / "nginx.conf")]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    context = ssl.create_default_context(cafile=str(certificate))
    with running(command, f"https://localhost:{port}", context) as client:
        assert_nothing_is_lost(client, server)


def test_caddy_passes_everything_on(server: str, tmp_path: Path) -> None:
    """The example for Caddy is valid, and without TLS it answers as the server does."""
    caddy = needs("caddy", "it is in the example")
    file = tmp_path / "Caddyfile"
    file.write_text(example("caddyfile"), "utf-8")
    checked = [caddy, "validate", "--adapter", "caddyfile", "--config", str(file)]
    home = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    subprocess.run(checked, check=True, capture_output=True, env=home)
    port = free_port()
    text = example("caddyfile").replace("record.example", f"http://127.0.0.1:{port}")
    text = text.replace("127.0.0.1:8000", server.removeprefix("http://"))
    file.write_text(f"{{\n  admin off\n}}\n{text}", "utf-8")
    command = [caddy, "run", "--adapter", "caddyfile", "--config", str(file)]
    with running(command, f"http://127.0.0.1:{port}", ssl.create_default_context()) as client:
        assert_nothing_is_lost(client, server)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """The unit has no unknown section, key or value, and its sandbox is found tight."""
    systemd = needs("systemd-analyze", "it checks the unit")
    unit = tmp_path / "cpc-record.service"
    text = example("ini").replace("/opt/cpc-record/.venv/bin/cpc-record", "/bin/true")
    unit.write_text(text, "utf-8")
    done = subprocess.run(
        [systemd, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    told = [line for line in done.stderr.splitlines() if unit.name in line]
    assert not told, done.stderr


def test_the_page_names_what_there_is() -> None:
    """Every make target, path and setting that the page names exists."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"`make ([a-z]+)`", PAGE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    settings = (ROOT / "README.md").read_text("utf-8")
    for name in set(re.findall(r"`([A-Z]+_[A-Z_]+)[`=]", PAGE)) - {"OTEL_EXPORTER_OTLP_ENDPOINT"}:
        assert f"| `{name}` |" in settings, name
