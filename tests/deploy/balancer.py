"""deploy/haproxy.cfg: read, and with other addresses."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.conftest import ROOT, needs
from tests.support.programs import run

CONFIGURATION = ROOT / "deploy" / "haproxy.cfg"
_SERVER = re.compile(r"^    server (\S+) (\S+):(\d+)$", re.MULTILINE)
_FACTORS = {"s": 1.0, "ms": 0.001}


def haproxy() -> str:
    """Path of HAProxy."""
    return shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin") or needs(
        "haproxy", "it distributes requests"
    )


def version() -> str:
    """Version of HAProxy, such as 2.6."""
    [found] = re.findall(r"version (\d+\.\d+)", run(haproxy(), "-v"))
    return str(found)


def servers(text: str) -> list[tuple[str, str, int]]:
    """Name, host and port of each replica."""
    return [(name, host, int(port)) for name, host, port in _SERVER.findall(text)]


def bind(text: str) -> str:
    """Address that clients connect to."""
    [address] = re.findall(r"^    bind (\S+)$", text, re.MULTILINE)
    return str(address)


def seconds(text: str, name: str) -> float:
    """A time that the configuration sets once, such as `timeout server`."""
    [(number, unit)] = re.findall(rf"(?:^| ){re.escape(name)} ([\d.]+)(ms|s)\b", text, re.MULTILINE)
    return float(number) * _FACTORS[unit]


def with_addresses(addresses: Mapping[str, str], address: str) -> str:
    """The configuration with other addresses: of replicas, by name, and of HAProxy itself."""
    text = CONFIGURATION.read_text("utf-8")
    lines = [f"    server {name} {replica}" for name, replica in addresses.items()]
    first, *_, last = _SERVER.finditer(text)
    text = text[: first.start()] + "\n".join(lines) + text[last.end() :]
    return text.replace(f"bind {bind(text)}", f"bind {address}")


def command(*files: Path, options: Sequence[str] = ("-db",)) -> list[str]:
    """Command that runs HAProxy in the foreground, with files read one after the other."""
    return [haproxy(), *options, *(part for file in files for part in ("-f", str(file)))]
