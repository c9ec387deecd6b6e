"""Runs many small tasks, some at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


async def for_each(
    items: Iterable[Item],
    action: Callable[[Item], Awaitable[None]],
    parallel: int,
    progress: Callable[[int], None],
) -> None:
    """Call a function for every item, some at a time; the first error stops all.

    Args:
        items: The items; no more of them are in memory than are handled at a time.
        action: The function.
        parallel: How many calls run at a time.
        progress: Called with the number of calls that have ended.
    """
    pending: set[asyncio.Future[None]] = set()
    done = 0

    async def wait() -> None:
        nonlocal pending, done
        finished, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in finished:
            task.result()
        done += len(finished)
        progress(done)

    try:
        for item in items:
            if len(pending) >= parallel:
                await wait()
            pending.add(asyncio.ensure_future(action(item)))
        while pending:
            await wait()
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
