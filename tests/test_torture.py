"""The quick part of `make torture`, on the shipped record; the whole has its own command."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.torture.fuzz import request
from tests.torture.play import HELD, NOT_RUN, play
from tests.torture.scenario import SCENARIOS
from tests.torture.wire import NOTHING, Reply, parse

QUICK = [one.name for one in SCENARIOS.values() if one.quick]


@pytest.mark.parametrize("name", QUICK)
def test_it_holds(name: str) -> None:
    """A scenario in a process of its own keeps its promise."""
    outcome = play(name, "shipped", 2017, quick=True, seconds=240)
    if outcome.result == NOT_RUN:
        pytest.skip(outcome.told)
    assert outcome.result == HELD, outcome.told


def test_every_scenario_says_what_it_promises() -> None:
    """The table has a sentence for each, and each is acted out somewhere."""
    assert len(SCENARIOS) >= 20
    for one in SCENARIOS.values():
        assert one.promise
        assert set(one.corpora) <= {"shipped", "large"}
        assert one.corpora


def test_chance_is_seeded() -> None:
    """The same seed breaks the same requests, another one others."""
    first, again, other = (random.Random(one) for one in (1, 1, 2))  # noqa: S311
    sent = [request(first) for _ in range(200)]
    assert sent == [request(again) for _ in range(200)]
    assert sent != [request(other) for _ in range(200)]
    assert len(set(sent)) > 150


@pytest.mark.parametrize(
    ("received", "replies"),
    [
        (b"", []),
        (b"HTTP/1.1 204 No Content\r\n\r\n", [Reply(204, (), b"")]),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 404 No\r\nA: b\r\n\r\nx",
            [Reply(200, (("content-length", "2"),), b"ok"), Reply(404, (("a", "b"),), b"x")],
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            [Reply(200, (("transfer-encoding", "chunked"),), b"ok")],
        ),
        (b"SSH-2.0", [Reply(-1, (), b"SSH-2.0")]),
    ],
)
def test_answers_are_read_as_they_were_sent(received: bytes, replies: list[Reply]) -> None:
    """Several answers on one connection are told apart, and what is none is told as such."""
    assert parse(received) == replies
    assert NOTHING.status == 0


def test_a_broken_promise_is_told(tmp_path: Path) -> None:
    """What does not end in time is not held, and what it started is ended."""
    outcome = play("silence", "shipped", 1, quick=True, seconds=3)
    assert outcome.result not in (HELD, NOT_RUN)
    assert "not done in 3 s" in outcome.told
    assert list(tmp_path.iterdir()) == []
