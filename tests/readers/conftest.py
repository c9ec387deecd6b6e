"""The record that programs read, as the API returns it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.serving import fetch

Json = dict[str, Any]


@pytest.fixture(scope="session")
def record(server: str) -> dict[str, list[Json]]:
    """The documents of each collection."""
    data: dict[str, list[Json]] = fetch(f"{server}/v1/record").json()["data"]
    return data
