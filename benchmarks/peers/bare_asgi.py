"""Upper bound: an ASGI application that only sends the bytes of a saved response."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]


def load_response(path: Path) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of a saved response; see `benchmarks.fetch.Response.save`."""
    headers, _, body = path.read_bytes().partition(b"\n")
    return [(name.encode(), value.encode()) for name, value in json.loads(headers)], body


def create_app(path: Path) -> Callable[..., Awaitable[None]]:
    """An application that sends the same saved response to every request."""
    headers, body = load_response(path)
    start_message = {"type": "http.response.start", "status": 200, "headers": headers}
    body_message = {"type": "http.response.body", "body": body}

    async def respond(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            await _handle_lifespan(receive, send)
            return
        await send(start_message)
        await send(body_message)

    return respond


async def _handle_lifespan(
    receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    for phase in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{phase}.complete"})


def __getattr__(name: str) -> Any:
    """`app`, created on access with the response saved in `RESPONSE_FILE`."""
    if name == "app":
        return create_app(Path(os.environ["RESPONSE_FILE"]))
    raise AttributeError(name)
