"""Responses are written head and body together."""

from __future__ import annotations

import asyncio

import pytest

from app.server.response_writer import ResponseWriter

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Recorder(asyncio.Transport):
    """A transport that records what is written at once."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def transport() -> _Recorder:
    """What the writer writes to."""
    return _Recorder()


@pytest.fixture
def writer(transport: _Recorder) -> ResponseWriter:
    """The writer of a connection."""
    return ResponseWriter(transport)


def test_a_body_is_written_with_its_head(writer: ResponseWriter, transport: _Recorder) -> None:
    """Head and body of each response on a connection are one write."""
    for _ in range(2):
        writer.write(HEAD)
        assert not transport.written or transport.written[-1].endswith(b"body")
        writer.write(b"body")
        writer.finish()
    assert transport.written == [HEAD + b"body"] * 2


def test_the_parts_of_a_stream_are_written_as_they_come(
    writer: ResponseWriter, transport: _Recorder
) -> None:
    """The head goes with the first part, also if it is large; the others are not held back."""
    large = bytes(100_000)
    for part in (HEAD, large, b"", b"last"):
        writer.write(part)
    assert transport.written == [HEAD + large, b"", b"last"]


def test_a_head_without_a_body_is_written_at_the_end(
    writer: ResponseWriter, transport: _Recorder
) -> None:
    """So it is after HEAD, as nothing follows the head."""
    writer.write(HEAD)
    writer.finish()
    assert transport.written == [HEAD]


def test_closing_writes_what_is_left(writer: ResponseWriter, transport: _Recorder) -> None:
    """A response that was aborted after its head is sent as far as it came."""
    writer.write(HEAD)
    writer.close()
    assert (transport.written, writer.is_closing()) == ([HEAD], True)


def test_an_interim_response_is_written_at_once(
    writer: ResponseWriter, transport: _Recorder
) -> None:
    """A client that expects 100 sends its body only after it."""
    writer.write(CONTINUE)
    assert transport.written == [CONTINUE]
    writer.write(HEAD)
    writer.write(b"body")
    assert transport.written[1:] == [HEAD + b"body"]
