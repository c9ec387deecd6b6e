"""Examples of docs/operations.md: each configuration works with the program it is for."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT, needs
from tests.support.ports import free_port
from tests.support.serving import TIMEOUT_SECONDS

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
PATHS = (
    "/v1/awards?region=cusco&sort=-title",
    "/v1/awards/peru-ilo",
    "/v1/record",
    "/v1/exports/record.sqlite",
    "/v1/awards?limit=0",
    "/v1/awards/",
)
CODINGS = ("", "identity", "gzip", "br", "zstd", "gzip, deflate, br, zstd")
"""Values of `Accept-Encoding`; the first request has none, as curl's."""
COMPARED_HEADERS = (
    "etag",
    "content-encoding",
    "content-length",
    "content-type",
    "cache-control",
    "x-data-release",
    "vary",
    "accept-ranges",
)

Headers = dict[str, str]
Fetched = tuple[int, httpx.Headers, bytes]


def example(language: str) -> str:
    """The first code block in a language."""
    code, *_ = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return str(code)


@contextmanager
def running(command: list[str], url: str, verify: ssl.SSLContext) -> Iterator[httpx.Client]:
    """Run a proxy and yield a client of it; the process is terminated afterwards."""
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, **streams)  # type: ignore[call-overload]
    try:
        with httpx.Client(
            timeout=TIMEOUT_SECONDS, base_url=url, verify=verify, trust_env=False
        ) as client:
            _wait_until_ready(client, process)
            yield client
    finally:
        process.terminate()
        process.communicate(timeout=TIMEOUT_SECONDS)


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the proxy exited: {process.communicate()[1].decode()}")
        try:
            client.get("/healthz")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the proxy did not become ready")


def fetch(client: httpx.Client, method: str, path: str, headers: Headers) -> Fetched:
    """Status, headers and undecoded body of a response; httpx adds no coding to the request."""
    request = client.build_request(method, path, headers=headers)
    if "Accept-Encoding" not in headers:
        del request.headers["Accept-Encoding"]
    response = client.send(request, stream=True)
    try:
        return response.status_code, response.headers, b"".join(response.iter_raw())
    finally:
        response.close()


def assert_same_responses(client: httpx.Client, server: str) -> None:
    """Check that a proxy changes neither bytes nor headers, and passes on 304s, GET and HEAD."""
    with httpx.Client(timeout=TIMEOUT_SECONDS, base_url=server) as origin:
        for path, coding, method in product(PATHS, CODINGS, ("GET", "HEAD")):
            headers = {"Accept-Encoding": coding} if coding else {}
            status, expected, body = fetch(origin, method, path, headers)
            proxied_status, proxied, proxied_body = fetch(client, method, path, headers)
            assert (proxied_status, proxied_body) == (status, body), (path, coding)
            for name in COMPARED_HEADERS:
                assert proxied.get(name) == expected.get(name), (path, coding, name)
            assert "strict-transport-security" in proxied
            if status == 200:
                conditional = {**headers, "If-None-Match": expected["etag"]}
                unchanged, kept, _ = fetch(client, method, path, conditional)
                assert (unchanged, kept["etag"]) == (304, expected["etag"]), (path, coding)
                assert "content-encoding" not in kept


@pytest.mark.process
@pytest.mark.web_server
def test_the_nginx_example_forwards_responses(server: str, tmp_path: Path) -> None:
    """With other ports and a certificate, responses through nginx equal those of the server."""
    nginx = needs("nginx", "the example is for it")
    openssl = needs("openssl", "it creates the certificate")
    certificate, key = tmp_path / "record.crt", tmp_path / "record.key"
    request = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    request += ["-addext", "subjectAltName=DNS:localhost", "-out", str(certificate)]
    subprocess.run([openssl, *request, "-keyout", str(key)], check=True, capture_output=True)
    port = free_port()
    text = example("nginx")
    for old, new in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "127.0.0.1:8000": server.removeprefix("http://"),
        "/etc/ssl/record.example.crt": str(certificate),
        "/etc/ssl/record.example.key": str(key),
    }.items():
        assert old in text
        text = text.replace(old, new)
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{name}_temp_path {tmp_path};" for name in temporary)
    http = f"access_log off; {folders} {text}"
    configuration = f"{user} daemon off; pid {tmp_path}/pid; events {{}} http {{ {http} }}"
    (tmp_path / "nginx.conf").write_text(configuration, "utf-8")
    command = [nginx, "-e", str(tmp_path / "error.log"), "-c", str(tmp_path / "nginx.conf")]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    context = ssl.create_default_context(cafile=str(certificate))
    with running(command, f"https://localhost:{port}", context) as client:
        assert_same_responses(client, server)


@pytest.mark.process
@pytest.mark.web_server
def test_the_caddy_example_forwards_responses(server: str, tmp_path: Path) -> None:
    """The example is valid; without TLS, responses through Caddy equal those of the server."""
    caddy = needs("caddy", "the example is for it")
    file = tmp_path / "Caddyfile"
    file.write_text(example("caddyfile"), "utf-8")
    validate = [caddy, "validate", "--adapter", "caddyfile", "--config", str(file)]
    home = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    subprocess.run(validate, check=True, capture_output=True, env=home)
    port = free_port()
    text = example("caddyfile").replace("record.example", f"http://127.0.0.1:{port}")
    text = text.replace("127.0.0.1:8000", server.removeprefix("http://"))
    file.write_text(f"{{\n  admin off\n}}\n{text}", "utf-8")
    command = [caddy, "run", "--adapter", "caddyfile", "--config", str(file)]
    with running(command, f"http://127.0.0.1:{port}", ssl.create_default_context()) as client:
        assert_same_responses(client, server)


@pytest.mark.process
def test_the_systemd_unit_is_valid(tmp_path: Path) -> None:
    """`systemd-analyze verify` has no complaints about the unit."""
    systemd = needs("systemd-analyze", "it verifies the unit")
    unit = tmp_path / "cpc-record.service"
    text = example("ini").replace("/opt/cpc-record/.venv/bin/cpc-record", "/bin/true")
    unit.write_text(text, "utf-8")
    result = subprocess.run(
        [systemd, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    complaints = [line for line in result.stderr.splitlines() if unit.name in line]
    assert not complaints, result.stderr


def test_make_targets_and_settings_exist() -> None:
    """Every make target and setting that the page mentions exists."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"`make ([a-z]+)`", PAGE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    settings = (ROOT / "README.md").read_text("utf-8")
    for name in set(re.findall(r"`([A-Z]+_[A-Z_]+)[`=]", PAGE)) - {"OTEL_EXPORTER_OTLP_ENDPOINT"}:
        assert f"| `{name}` |" in settings, name
