"""What a test needs besides Python: declared by markers, enforced when a program is started.

A test without such a marker is quick: it runs in this process alone, and `make test` runs it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

MARKERS = {
    "server": "starts the API, or a worker of it, as a process of its own",
    "process": "starts other programs, or kills what it started",
    "web_server": "starts nginx or Caddy",
    "proxy": "starts Varnish, Squid, HAProxy, Traffic Server or httpd",
    "browser": "drives Chromium",
    "node": "runs Node.js, with packages from npm",
    "office": "drives LibreOffice",
    "download": "downloads a package from PyPI",
    "slow": "computes for more than a few seconds",
}
_FIXTURES = {"start_server": "server", "server": "server", "chromium": "browser"}
"""Fixtures that start something, and the marker of the tests that request them."""
_PROGRAMS = {
    "chromium": "browser",
    "node": "node",
    "npm": "node",
    "npx": "node",
    "soffice": "office",
    "nginx": "web_server",
    "caddy": "web_server",
    "varnishd": "proxy",
    "squid": "proxy",
    "haproxy": "proxy",
    "traffic_server": "proxy",
    "apache2": "proxy",
    "httpd": "proxy",
}
"""Markers of programs that have one of their own; any other needs some marker."""
_ALLOWED = {"git"}
"""Programs that a quick test may start."""

_running: list[pytest.Item] = []


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    config.addinivalue_line("markers", "long: has any of the markers above; `make test` skips it")


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark tests by the fixtures that they request, and all that are not quick as long."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in _FIXTURES:
                item.add_marker(_FIXTURES[fixture])
        if any(item.get_closest_marker(name) for name in MARKERS):
            item.add_marker("long")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Remember which test is running."""
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.pop()


def _refuse_undeclared(event: str, arguments: tuple[object, ...]) -> None:
    """Fail a test that starts a program which its markers do not declare (PEP 578)."""
    if event != "subprocess.Popen" or not _running:
        return
    item, program = _running[-1], Path(os.fsdecode(str(arguments[0]))).name
    marker = _PROGRAMS.get(program)
    declared = marker if marker is not None else "long"
    if program not in _ALLOWED and item.get_closest_marker(declared) is None:
        expected = f"`{marker}`" if marker else f"one of {', '.join(MARKERS)}"
        pytest.fail(f"it starts {program}: mark it as {expected} (tests/support/needs.py)")


sys.addaudithook(_refuse_undeclared)
