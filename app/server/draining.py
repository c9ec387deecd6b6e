"""Draining: between SIGTERM and shutdown, requests are still served, but clients move elsewhere.

A load balancer takes a moment to learn that a server stops. If the server closed its connections at
once, requests that are just being sent on them would fail. For `DRAIN_SECONDS` it therefore reports
on `/readyz` that it is not ready, serves every request, and closes each connection after its next
response (`Connection: close`), so that the client's next request opens another one.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from app.server.fast_path import FastPath

logger = logging.getLogger("cpc_record")

DRAIN_KEY = "drain"
"""Key of the ASGI lifespan state under which connections find the `Drain`."""


class Drain:
    """State of a process between SIGTERM and its shutdown.

    Attributes:
        seconds: How long it lasts; 0 for not at all.
        started: Whether SIGTERM was received.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self.started = seconds, False

    @contextmanager
    def on_sigterm(self, fast_path: FastPath | None) -> Iterator[None]:
        """Start at SIGTERM, and hand the signal on when the time is over or it comes again.

        Signal handlers belong to the main thread; in any other, nothing changes.

        Args:
            fast_path: Cannot close connections, so it is turned off.
        """
        if not self.seconds or threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        stop = signal.getsignal(signal.SIGTERM)
        timers: list[asyncio.TimerHandle] = []

        def start() -> None:
            logger.info("Stopping in %g s; until then, requests are served.", self.seconds)
            if fast_path is not None:
                fast_path.turn_off()
            timers.append(loop.call_later(self.seconds, signal.raise_signal, signal.SIGTERM))

        def handle_sigterm(_signal: int, _frame: FrameType | None) -> None:
            if self.started:
                signal.signal(signal.SIGTERM, stop)
                signal.raise_signal(signal.SIGTERM)
            else:
                self.started = True
                loop.call_soon_threadsafe(start)

        signal.signal(signal.SIGTERM, handle_sigterm)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, stop)
            for timer in timers:
                timer.cancel()
