"""Fixtures of the tests with caches."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.caches.clients import LIBRARIES, running_client
from tests.caches.exchanges import Cache
from tests.caches.origin import Origin, running_origin
from tests.caches.proxies import PRODUCTS, running_proxy
from tests.caches.tables import Seen

RENEW = "RENEW_CACHE_TABLES"
"""Environment variable with which `python -m tests.caches` has the tables renewed."""


@pytest.fixture(scope="session")
def seen() -> Iterator[Seen]:
    """Compares what is seen with the documented tables."""
    tables = Seen(renews=RENEW in os.environ)
    yield tables
    tables.write()


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    """The API, with responses that stay fresh as long as a test runs."""
    with running_origin(3600) as running:
        yield running


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=getattr(pytest.mark, p.mark)) for name, p in PRODUCTS.items()],
)
def proxy(request: pytest.FixtureRequest, origin: Origin) -> Iterator[Cache]:
    """Each proxy in turn."""
    with running_proxy(request.param, origin) as running:
        yield running


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=getattr(pytest.mark, library.mark))
        for name, library in LIBRARIES.items()
    ],
)
def client(request: pytest.FixtureRequest, origin: Origin) -> Iterator[Cache]:
    """Each caching client in turn."""
    with running_client(request.param, origin) as running:
        yield running
