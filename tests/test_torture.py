"""The quick scenarios of `make torture` on the shipped record, and its tools."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.torture.fuzz import generate_request
from tests.torture.raw_http import NO_RESPONSE, Response, parse_responses
from tests.torture.runner import PASSED, SKIPPED, run_isolated
from tests.torture.scenario import SCENARIOS

QUICK = [scenario.name for scenario in SCENARIOS.values() if scenario.quick]


@pytest.mark.process
@pytest.mark.parametrize("name", QUICK)
def test_quick_scenario_passes(name: str) -> None:
    """The promise of each quick scenario is kept."""
    outcome = run_isolated(name, "shipped", 2017, quick=True, seconds=240)
    if outcome.result == SKIPPED:
        pytest.skip(outcome.details)
    assert outcome.result == PASSED, outcome.details


def test_scenarios_have_promises_and_records() -> None:
    """Each scenario has a promise and runs on at least one known record."""
    assert len(SCENARIOS) >= 20
    for scenario in SCENARIOS.values():
        assert scenario.promise
        assert set(scenario.records) <= {"shipped", "large"}
        assert scenario.records


def test_fuzzing_is_reproducible() -> None:
    """The same random seed gives the same requests, another one different requests."""
    first, again, other = (random.Random(seed) for seed in (1, 1, 2))  # noqa: S311
    sent = [generate_request(first) for _ in range(200)]
    assert sent == [generate_request(again) for _ in range(200)]
    assert sent != [generate_request(other) for _ in range(200)]
    assert len(set(sent)) > 150


@pytest.mark.parametrize(
    ("received", "responses"),
    [
        (b"", []),
        (b"HTTP/1.1 204 No Content\r\n\r\n", [Response(204, (), b"")]),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 404 No\r\nA: b\r\n\r\nx",
            [Response(200, (("content-length", "2"),), b"ok"), Response(404, (("a", "b"),), b"x")],
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            [Response(200, (("transfer-encoding", "chunked"),), b"ok")],
        ),
        (b"SSH-2.0", [Response(-1, (), b"SSH-2.0")]),
    ],
)
def test_raw_responses_are_parsed(received: bytes, responses: list[Response]) -> None:
    """Several responses on one connection are separated, and other bytes get status -1."""
    assert parse_responses(received) == responses
    assert NO_RESPONSE.status == 0


@pytest.mark.process
def test_a_timeout_is_a_failure(tmp_path: Path) -> None:
    """A scenario that times out fails, and its processes are killed."""
    outcome = run_isolated("silent-connections", "shipped", 1, quick=True, seconds=3)
    assert outcome.result not in (PASSED, SKIPPED)
    assert "timed out after 3 s" in outcome.details
    assert list(tmp_path.iterdir()) == []
