"""A relay in front of the origin that remembers every request, as a cache sent it."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import threading


class Tap:
    """Forwards the connections to a port unchanged, and reads along.

    The access log would not do: it is written after a response was sent, so a request may still be
    missing there when its client goes on.

    Attributes:
        port: Port that it listens on; it is the same after a pause.
    """

    def __init__(self, port: int, target: int) -> None:
        self.port, self._target = port, target
        self._heads: list[dict[str, str]] = []
        self._server: _Server | None = None

    def open(self) -> None:
        """Accept connections."""
        self._server = _Server(("127.0.0.1", self.port), self._target, self._heads)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Refuse new connections and end the open ones."""
        if self._server is not None:
            self._server.stopped.set()
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def requests(self) -> list[dict[str, str]]:
        """Headers of all requests by lower-case name; the key of the request line is ``""``."""
        return list(self._heads)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128
    daemon_threads = True

    def __init__(self, address: tuple[str, int], target: int, heads: list[dict[str, str]]) -> None:
        super().__init__(address, _Relay)
        self.target, self.heads, self.stopped = target, heads, threading.Event()


class _Relay(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Forward a connection until either side closes it."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.server.target)) as origin,
        ):
            self._forward(self.request, origin)

    def _forward(self, client: socket.socket, origin: socket.socket) -> None:
        pending = b""
        while not self.server.stopped.is_set():
            for source in select.select([client, origin], [], [], 0.1)[0]:
                data = source.recv(65536)
                if not data:
                    return
                if source is client:
                    pending = self._remember(pending + data)
                (origin if source is client else client).sendall(data)

    def _remember(self, received: bytes) -> bytes:
        """Keep each complete head; returns the rest. Requests without content are expected."""
        *heads, rest = received.split(b"\r\n\r\n")
        for head in heads:
            line, *fields = head.decode("latin-1").split("\r\n")
            pairs = (field.partition(":") for field in fields)
            headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
            self.server.heads.append({"": line, **headers})
        return rest
