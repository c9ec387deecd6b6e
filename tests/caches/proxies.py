"""Reverse proxies in front of the API, each with the configuration that its users write."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.caches.origin import (
    Origin,
    Response,
    fetch,
    open_directory,
    wait_until,
)
from tests.conftest import ROOT, needs
from tests.support.ports import free_port
from tests.support.serving import TIMEOUT_SECONDS

CONFIGURATIONS = Path(__file__).parent / "configurations"
_PAGE = ROOT / "docs" / "operations.md"
_NGINX = """
{user}
daemon off;
worker_processes 1;
pid {work}/nginx.pid;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {work}/client;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    include {work}/site.conf;
}}
"""


class Proxy:
    """A running proxy.

    Attributes:
        name: Product.
        url: Address.
    """

    decodes = False

    def __init__(self, name: str, url: str) -> None:
        self.name, self.url = name, url

    def request(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Response:
        """Send one request through the proxy."""
        return fetch(self.url, path, headers, method)


class Place(NamedTuple):
    """Where a proxy runs.

    Attributes:
        work: Directory for its files.
        port: Port that it listens on.
        origin: Host and port of the API.
    """

    work: Path
    port: int
    origin: str

    def write(self, name: str, text: str, replacements: dict[str, str] | None = None) -> Path:
        """Write a configuration with this place's addresses and directories."""
        for old, new in (replacements or {}).items():
            assert old in text, old
            text = text.replace(old, new)
        ports = {"8000": self.origin.rpartition(":")[2], "8080": str(self.port)}
        text = re.sub(r"\b(8000|8080)\b", lambda found: ports[found[0]], text)
        path = self.work / name
        path.write_text(text, "utf-8")
        return path

    def configure(self, name: str, replacements: dict[str, str] | None = None) -> Path:
        """Write one of the configurations in this directory."""
        text = (CONFIGURATIONS / name).read_text("utf-8")
        return self.write(name, text, replacements)


def find(program: str) -> str:
    """Path of a program, which may be in a system directory; see `needs`."""
    return shutil.which(program, path="/usr/sbin:/usr/local/sbin") or needs(program, "it is tested")


def example(language: str, containing: str) -> str:
    """The code block of docs/operations.md in a language that contains a text."""
    blocks = re.findall(
        rf"^```{language}\n(.*?)^```", _PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    (block,) = (block for block in blocks if containing in block)
    return str(block)


def _varnish(place: Place) -> list[str]:
    vcl = place.configure("varnish.vcl")
    state = place.work / "state"
    address = f"127.0.0.1:{place.port}"
    jail = ["-j", "none"] if os.geteuid() == 0 else []
    return [find("varnishd"), *jail, "-F", "-n", str(state), "-a", address, "-f", str(vcl)]


def _squid(place: Place) -> list[str]:
    paths = {
        "/var/log/squid/cache.log": f"{place.work}/cache.log",
        "/run/squid.pid": f"{place.work}/squid.pid",
    }
    configuration = place.configure("squid.conf", paths)
    return [find("squid"), "-N", "-n", f"record{place.port}", "-f", str(configuration)]


def _haproxy(place: Place) -> list[str]:
    configuration = place.configure("haproxy.cfg", {":8080": "127.0.0.1:8080"})
    return [find("haproxy"), "-db", "-f", str(configuration)]


def _traffic_server(place: Place) -> list[str]:
    program = find("traffic_server")
    for name in ("etc", "cache", "log", "run"):
        (place.work / name).mkdir()
        (place.work / name).chmod(0o777)
    for name in ("records.config", "remap.config", "storage.config", "ip_allow.yaml"):
        paths = {"var/trafficserver": f"{place.work}/cache"} if name == "storage.config" else None
        shutil.move(place.configure(name, paths), place.work / "etc" / name)
    root = place.work / "runroot.yaml"
    directories = {
        "prefix": "/usr",
        "bindir": Path(program).parent,
        "sysconfdir": place.work / "etc",
        "localstatedir": place.work,
        "cachedir": place.work / "cache",
        "logdir": place.work / "log",
        "runtimedir": place.work / "run",
    }
    root.write_text("".join(f"{name}: {path}\n" for name, path in directories.items()), "utf-8")
    return [program, f"--run-root={root}"]


def _httpd(place: Place) -> list[str]:
    program = find("httpd") if shutil.which("httpd") else find("apache2")
    cache = place.work / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    paths = {
        "/var/cache/apache2/mod_cache_disk": str(cache),
        "Listen 8080": "Listen 127.0.0.1:8080",
    }
    configuration = place.configure("httpd.conf", paths)
    directives = [f"PidFile {place.work}/httpd.pid", f"ErrorLog {place.work}/error.log"]
    directives += [f"DefaultRuntimeDir {place.work}", "ServerRoot /usr/lib/apache2"]
    if os.geteuid() == 0:
        directives += ["User www-data", "Group www-data"]
    before = [part for directive in directives for part in ("-C", directive)]
    return [program, "-X", *before, "-f", str(configuration)]


def _nginx(place: Place, directives: str = "", http_directives: str = "") -> list[str]:
    program = find("nginx")
    user = "user root;" if os.geteuid() == 0 else ""
    changes = {"/var/cache/nginx/record": f"{place.work}/cache"}
    changes["listen 8080"] = "listen 127.0.0.1:8080"
    changes["proxy_cache record;"] = f"proxy_cache record; {directives}"
    site = http_directives + example("nginx", "proxy_cache_path")
    place.write("site.conf", site, changes)
    main = place.work / "nginx.conf"
    main.write_text(_NGINX.format(work=place.work, user=user), "utf-8")
    return [program, "-p", str(place.work), "-e", "stderr", "-c", str(main)]


def _nginx_revalidating(place: Place) -> list[str]:
    return _nginx(place, "proxy_cache_revalidate on;")


def nginx_with_rate_limit(place: Place) -> list[str]:
    """The documented nginx, but 503 with `Retry-After` for a second request in two seconds."""
    directives = "limit_req zone=all; add_header Retry-After 1 always;"
    zone = "limit_req_zone $server_name zone=all:1m rate=30r/m;\n"
    return _nginx(place, directives, zone)


def _caddy(place: Place) -> list[str]:
    text = example("caddyfile", "reverse_proxy")
    site = {"record.example": f"http://127.0.0.1:{place.port}"}
    file = place.write("Caddyfile", f"{{\n    admin off\n}}\n{text}", site)
    return [find("caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]


class Product(NamedTuple):
    """A proxy program.

    Attributes:
        version: Command that prints its version.
        command: Writes the configuration and returns the command that runs it.
        mark: Marker of tests that start it.
    """

    version: tuple[str, str]
    command: Any
    mark: str = "proxy"


PRODUCTS = {
    "nginx": Product(("nginx", "-v"), _nginx, "web_server"),
    "nginx, `proxy_cache_revalidate on`": Product(
        ("nginx", "-v"), _nginx_revalidating, "web_server"
    ),
    "Varnish": Product(("varnishd", "-V"), _varnish),
    "Squid": Product(("squid", "-v"), _squid),
    "Traffic Server": Product(("traffic_server", "-V"), _traffic_server),
    "httpd": Product(("apache2", "-v"), _httpd),
    "HAProxy": Product(("haproxy", "-v"), _haproxy),
    "Caddy": Product(("caddy", "version"), _caddy, "web_server"),
}


@contextmanager
def running_proxy(
    name: str, origin: Origin, configure: Callable[[Place], list[str]] | None = None
) -> Iterator[Proxy]:
    """A proxy in front of an origin, terminated afterwards.

    Args:
        name: The product.
        origin: The origin.
        configure: Another configuration than that of the product: returns the command.
    """
    with open_directory() as work:
        place = Place(work, free_port(), origin.address)
        command = (configure or PRODUCTS[name].command)(place)
        environment = {"HOME": str(work), "XDG_DATA_HOME": str(work), "XDG_CONFIG_HOME": str(work)}
        with (work / "output.log").open("wb") as output:
            process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                cwd=work,
                stdout=output,
                stderr=output,
            )
        try:
            proxy = Proxy(name, f"http://127.0.0.1:{place.port}")
            wait_until(lambda: _responds(proxy, process, work), f"{name} responds")
            yield proxy
        finally:
            process.terminate()
            process.wait(timeout=TIMEOUT_SECONDS)


def _responds(proxy: Proxy, process: subprocess.Popen[bytes], work: Path) -> bool:
    if process.poll() is not None:
        output = (work / "output.log").read_text("utf-8", "replace")
        pytest.fail(f"{proxy.name} ended with exit code {process.returncode}: {output}")
    try:
        return proxy.request("/healthz").status == 200
    except OSError:
        return False


def version(name: str) -> str:
    """Major and minor version of a program."""
    program, option = PRODUCTS[name].version
    printed = subprocess.run([find(program), option], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+", printed.stdout + printed.stderr)
    assert found is not None
    return found[0]
