"""The limit: an ASGI function that does nothing but give bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]


def read(path: Path) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of an answer that was written down."""
    headers, _, body = path.read_bytes().partition(b"\n")
    return [(name.encode(), value.encode()) for name, value in json.loads(headers)], body


def application(path: Path) -> Callable[..., Awaitable[None]]:
    """An application that answers every request with what was written down."""
    headers, body = read(path)
    begin = {"type": "http.response.start", "status": 200, "headers": headers}
    complete = {"type": "http.response.body", "body": body}

    async def answer(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        await send(begin)
        await send(complete)

    return answer


async def _live(
    receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    for phase in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{phase}.complete"})


def __getattr__(name: str) -> Any:
    """`app`, on the answer that the environment names."""
    if name == "app":
        return application(Path(os.environ["ANSWER"]))
    raise AttributeError(name)
