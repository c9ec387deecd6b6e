"""Caching HTTP clients, each in a process with the packages of a lock file of its own."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.caches.origin import Origin, Response, open_directory
from tests.caches.proxies import example
from tests.conftest import needs
from tests.support.environments import install_environment, locked_version
from tests.support.npm import install_packages, package_versions
from tests.support.serving import TIMEOUT_SECONDS

HERE = Path(__file__).parent


class Unreachable(Exception):
    """A client raised an exception, because the origin is down and it has no response to use."""


class Client:
    """A running caching client.

    Attributes:
        name: Library and settings.
        decodes: Whether it returns decoded content beside the headers as sent.
    """

    def __init__(
        self, name: str, process: subprocess.Popen[str], origin: Origin, *, decodes: bool
    ) -> None:
        self.name, self.decodes = name, decodes
        self._process, self._url = process, f"http://{origin.address}"

    def request(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Response:
        """Send one request through the client.

        Raises:
            Unreachable: The client raised an exception.
        """
        reply = self._exchange(path, method=method, headers=dict(headers or {}))
        received = {
            name: ", ".join(value) if isinstance(value, list) else value
            for name, value in reply["headers"].items()
        }
        return Response(reply["status"], received, base64.b64decode(reply["body"]))

    def resume(self, path: str, file: Path, etag: str) -> None:
        """Complete a partial download, as in the documentation."""
        self._exchange(path, resume=str(file), etag=etag)

    def _exchange(self, path: str, **request: Any) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"url": f"{self._url}{path}", **request}) + "\n")
        stdin.flush()
        line = stdout.readline()
        assert line, f"{self.name} ended"
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise Unreachable(reply["error"])
        return reply


class Library(NamedTuple):
    """A caching client library.

    Attributes:
        package: Its name in the lock file.
        expression: The client, in the names of the example; none for undici.
    """

    package: str
    expression: str | None
    mark: str = "process"


LIBRARIES = {
    "hishel, default": Library("hishel", "CacheClient()"),
    "hishel, `rfc=True`": Library("hishel", "client"),
    "requests-cache, default": Library("requests-cache", "CachedSession()"),
    "requests-cache, `cache_control=True`": Library("requests-cache", "session"),
    "CacheControl": Library("cachecontrol", "controlled"),
    "undici": Library("undici", None, "node"),
}
NOT_FOLLOWING = {"hishel, default", "requests-cache, default"}
"""Clients that ignore `Cache-Control`."""


@contextmanager
def running_client(name: str, origin: Origin) -> Iterator[Client]:
    """A caching client of an origin, with an empty cache."""
    expression = LIBRARIES[name].expression
    with open_directory() as work:
        command = _undici() if expression is None else _python(work, expression)
        process = subprocess.Popen(
            command, cwd=work, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            yield Client(name, process, origin, decodes=expression is not None)
        finally:
            process.terminate()
            process.communicate(timeout=TIMEOUT_SECONDS)


def _undici() -> list[str]:
    node = needs("node", "undici runs on it")
    install_packages(HERE, "undici is tested")
    return [node, str(HERE / "undici_client.mjs")]


def _python(work: Path, expression: str) -> list[str]:
    examples = work / "examples.py"
    examples.write_text(example("python", "CacheClient"), "utf-8")
    return [
        str(install_environment(HERE) / "python"),
        str(HERE / "python_client.py"),
        str(examples),
        expression,
    ]


def library_version(name: str) -> str:
    """Major and minor version of a library, from its lock file."""
    package = LIBRARIES[name].package
    version = package_versions(HERE).get(package) or locked_version(HERE, package)
    return ".".join(version.split(".")[:2])
