"""Expired responses: revalidation, a new release, and an origin that is down.

All caches go through the same steps at the same time, in front of one origin.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

import pytest

from tests.caches.clients import LIBRARIES, NOT_FOLLOWING, Unreachable, running_client
from tests.caches.exchanges import COLLECTION, ITEM, PATHS, Cache, ask
from tests.caches.origin import Origin, Response, running_origin, wait_until
from tests.caches.proxies import PRODUCTS, running_proxy
from tests.caches.tables import Seen

pytestmark = [
    getattr(pytest.mark, name) for name in ("server", "process", "proxy", "web_server", "node")
]

MAX_AGE = 3
"""Seconds. `Date` has no fractions, so a response can be sent with an age of more than one."""
NAMES = [*PRODUCTS, *LIBRARIES]
HEADERS = {"Accept-Encoding": "gzip"}


@dataclass
class Life:
    """What was seen of one cache.

    Attributes:
        cache: It.
        revalidations: The requests at the origin for each expired response.
        renewed: A response after each revalidation.
        old: How many responses of the old release came after it had expired.
        unchanged: A response that the new release left as it was, after two more expirations.
        down: Response while the origin is down; None if the client raised an exception.
    """

    cache: Cache
    revalidations: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    renewed: dict[str, Response] = field(default_factory=dict)
    old: int = 0
    unchanged: Response | None = None
    down: Response | None = None


@dataclass
class Lives:
    """All caches, why others are missing, and what the origin served.

    Attributes:
        by_name: Those that were started.
        skipped: Why others were not.
        release: The new release.
        cache_control: `Cache-Control` of the origin's success, by path.
    """

    by_name: dict[str, Life]
    skipped: dict[str, str]
    release: str = ""
    cache_control: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def lives() -> Iterator[Lives]:
    """The whole course of events, for all caches."""
    with running_origin(MAX_AGE) as origin, ExitStack() as stack:
        lives = start_caches(origin, stack)
        for path in PATHS:
            origin.learn(path)
            lives.cache_control[path] = origin.direct(path).headers["cache-control"]
        everyone = list(lives.by_name.values())
        revalidate(origin, everyone)
        release_anew(origin, everyone)
        lives.release = origin.release()
        take_down(origin, everyone)
        yield lives


@pytest.fixture(params=NAMES)
def life(request: pytest.FixtureRequest, lives: Lives) -> Life:
    """What was seen of each cache."""
    name: str = request.param
    if name in lives.skipped:
        pytest.skip(lives.skipped[name])
    return lives.by_name[name]


def start_caches(origin: Origin, stack: ExitStack) -> Lives:
    """Start all caches that this machine has."""
    lives = Lives({}, {})
    for name in NAMES:
        try:
            lives.by_name[name] = Life(stack.enter_context(running_cache(name, origin)))
        except pytest.skip.Exception as reason:
            lives.skipped[name] = str(reason)
    return lives


def running_cache(name: str, origin: Origin) -> AbstractContextManager[Cache]:
    """A proxy or a client."""
    if name in PRODUCTS:
        return running_proxy(name, origin)
    return running_client(name, origin)


def expire(*, fully: bool = False) -> None:
    """Wait until all that is stored now has expired, including `stale-while-revalidate`."""
    expired = time.time() + MAX_AGE * (2 if fully else 1) + 1.1  # ages are whole seconds
    wait_until(lambda: time.time() > expired, "responses expire")


def revalidate(origin: Origin, everyone: list[Life]) -> None:
    """Have everything stored, expired, and requested twice more."""
    for life in everyone:
        for path in PATHS:
            ask(life.cache, origin, path, HEADERS)
    expire()
    for life in everyone:
        for path in PATHS:
            before = len(origin.requests_from(life.cache.name))
            ask(life.cache, origin, path, HEADERS)
            if life.cache.name not in NOT_FOLLOWING:  # some ask the origin after they responded
                wait_for_requests(origin, life, before + 1)
            life.revalidations[path] = origin.requests_from(life.cache.name)[before:]
    for life in everyone:
        for path in PATHS:
            life.renewed[path] = ask(life.cache, origin, path, HEADERS).response


def wait_for_requests(origin: Origin, life: Life, number: int) -> None:
    """Wait until a cache has sent this many requests to the origin."""
    name = life.cache.name
    wait_until(lambda: len(origin.requests_from(name)) >= number, f"{name} asks the origin")


def release_anew(origin: Origin, everyone: list[Life]) -> None:
    """Change the release, and request it until it arrives."""
    origin.change_release()
    old = {response.tag for response in origin.known(COLLECTION)}
    for path in PATHS:
        origin.learn(path)
    expire(fully=True)
    for life in everyone:
        if life.cache.name in NOT_FOLLOWING:
            assert is_old(origin, life, old)
        else:
            wait_for_release(origin, life, old)
    for _ in range(2):
        for life in everyone:
            life.unchanged = ask(life.cache, origin, ITEM, HEADERS).response
        expire()
    for life in everyone:
        life.unchanged = ask(life.cache, origin, ITEM, HEADERS).response


def wait_for_release(origin: Origin, life: Life, old: set[str]) -> None:
    """Wait until a cache responds with the new release."""
    wait_until(lambda: not is_old(origin, life, old), f"{life.cache.name} has the new release")


def is_old(origin: Origin, life: Life, tags: set[str]) -> bool:
    """Whether a cache responds with the old release; such responses are counted."""
    tag = ask(life.cache, origin, COLLECTION, HEADERS).response.tag
    life.old += tag in tags
    return tag in tags


def take_down(origin: Origin, everyone: list[Life]) -> None:
    """Stop the origin, and request what is expired."""
    expire(fully=True)
    origin.stop()
    for life in everyone:
        try:
            life.down = ask(life.cache, origin, COLLECTION, HEADERS).response
        except Unreachable:
            life.down = None


def test_an_expired_response_is_revalidated(life: Life, seen: Seen) -> None:
    """A cache asks the origin about what has expired; whether by its ETag is up to it."""
    requests = [head for heads in life.revalidations.values() for head in heads]
    if life.cache.name in NOT_FOLLOWING:
        assert not requests
        text = "never asks"
    else:
        assert all(life.revalidations.values())
        conditional = {"if-none-match" in head for head in requests}
        text = " or ".join(
            meaning
            for is_conditional, meaning in ((True, "304"), (False, "whole download"))
            if is_conditional in conditional
        )
    seen(life.cache.name, "expired", text)


def test_a_revalidated_response_can_be_stored_as_before(life: Life, lives: Lives) -> None:
    """A 304 leaves `Cache-Control` as it was, on every kind of path."""
    for path, response in life.renewed.items():
        assert response.status == 200
        assert response.headers["cache-control"] == lives.cache_control[path], path


def test_a_new_release_arrives(life: Life, lives: Lives, seen: Seen) -> None:
    """What the new release changed arrives once the old response has expired."""
    if life.cache.name in NOT_FOLLOWING:
        text = "never"
    else:
        text = "after an old response" if life.old else "at once"
        assert life.unchanged is not None
        if life.unchanged.headers.get("x-data-release") != lives.release:
            text += "; `X-Data-Release` of what is unchanged stays old"
    seen(life.cache.name, "new release", text)


def test_while_the_origin_is_down_responses_are_right_or_errors(life: Life, seen: Seen) -> None:
    """An expired response, as it was, or an error; nothing else."""
    if life.down is None:
        text = "exception"
    elif life.down.status == 200:
        text = "old response"
    else:
        assert life.down.status in (502, 503, 504)
        text = str(life.down.status)
    seen(life.cache.name, "down", text)
