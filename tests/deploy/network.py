"""Hosts of their own on this machine: network namespaces that are connected by a bridge."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest

_PREFIX = "10.99.0"
_numbers = count(1)


class Network:
    """Hosts with an address each, in no contact with the network of the machine.

    Attributes:
        name: Beginning of the names of its namespaces.
        addresses: Address of each host.
    """

    def __init__(self) -> None:
        self.name = f"cpc-{os.getpid()}-{next(_numbers)}"
        self.addresses: dict[str, str] = {}

    def start(self) -> None:
        """Create the bridge that connects hosts."""
        _ip("netns", "add", f"{self.name}-bridge")
        _ip("-n", f"{self.name}-bridge", "link", "add", "bridge", "type", "bridge")
        _ip("-n", f"{self.name}-bridge", "link", "set", "bridge", "up")

    def add(self, host: str) -> None:
        """Create a host."""
        bridge, space = f"{self.name}-bridge", f"{self.name}-{host}"
        address = f"{_PREFIX}.{len(self.addresses) + 1}"
        _ip("netns", "add", space)
        self.addresses[host] = address
        peer = ("type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("-n", bridge, "link", "add", host, *peer)
        _ip("-n", bridge, "link", "set", host, "master", "bridge", "up")
        _ip("-n", space, "addr", "add", f"{address}/24", "dev", "eth0")
        _ip("-n", space, "link", "set", "eth0", "up")
        _ip("-n", space, "link", "set", "lo", "up")

    def command(self, host: str, *command: str) -> list[str]:
        """A command that runs on a host; `ip` is replaced by the program, so it has its id."""
        return ["ip", "netns", "exec", f"{self.name}-{host}", *command]

    def remove(self) -> None:
        """Remove all hosts, whose processes must have ended."""
        for host in ("bridge", *self.addresses):
            subprocess.run(["ip", "netns", "del", f"{self.name}-{host}"], check=False)


@contextmanager
def open_network(*hosts: str) -> Iterator[Network]:
    """A network of hosts. Where it cannot be created, the test is skipped; in CI it fails."""
    network = Network()
    try:
        if shutil.which("ip") is None:
            _give_up("ip, of iproute2, is not installed")
        if os.geteuid() != 0:
            _give_up("network namespaces need root")
        try:
            network.start()
            for host in hosts:
                network.add(host)
        except subprocess.CalledProcessError as error:
            _give_up(f"network namespaces cannot be created: {error.stderr.strip()}")
        yield network
    finally:
        network.remove()


def _give_up(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
