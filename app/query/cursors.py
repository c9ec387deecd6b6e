"""Cursors: where a page begins in the order of a query, in any release of the data."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import blake2b

from app.responses.problems import InvalidParameters, ParameterError

MAX_CURSOR_LENGTH = 1_500
"""More than any position takes, and little enough for the header buffers of proxies."""
MAX_KEY_LENGTH = 200
"""Maximum number of characters of a sort key in a cursor; longer ones are cut off."""

_DIGEST_BYTES = 12
_MAX_INTEGER = 2**63 - 1
"""Largest integer of SQLite."""

SortKey = str | int | None


@dataclass(frozen=True, slots=True)
class Position:
    """The place after a row in the sort order; the row itself need not exist.

    Attributes:
        key: Sort key of the row; None if it is null.
        id: Id of the row.
    """

    key: SortKey
    id: str

    def to_bytes(self) -> bytes:
        """The id and the typed sort key, separated by a NUL, which neither contains."""
        key = ""
        if isinstance(self.key, int):
            key = f"i{self.key}"
        elif self.key is not None:
            key = f"s{self.key[:MAX_KEY_LENGTH]}"
        return f"{self.id}\0{key}".encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Position:
        """The position that `to_bytes` wrote.

        Raises:
            ValueError: The content is not a position.
        """
        row_id, _, key = content.decode().partition("\0")
        match key[:1]:
            case "":
                return cls(None, row_id)
            case "s":
                return cls(key[1:], row_id)
            case "i" if abs(number := int(key[1:])) <= _MAX_INTEGER:
                return cls(number, row_id)
        raise ValueError("unknown type of sort key")


def encode_cursor(query: object, position: bytes) -> str:
    """A cursor: a digest of the query and the position, then the position, in base64url.

    The digest tells cursors of other queries and damaged ones. It is not a signature, because its
    algorithm is public: whoever decodes a position must be prepared for any content.

    Args:
        query: All that determines the rows and their order, as JSON types.
        position: Where the page begins.
    """
    content = json.dumps(query).encode() + b"\0" + position
    digest = blake2b(content, digest_size=_DIGEST_BYTES).digest()
    return urlsafe_b64encode(digest + position).rstrip(b"=").decode()


def decode_cursor(query: object, cursor: str) -> bytes:
    """The position in a cursor of this query.

    Raises:
        InvalidParameters: The cursor is damaged or belongs to another query.
    """
    try:
        position = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[_DIGEST_BYTES:]
    except ValueError:
        raise invalid_cursor() from None
    if encode_cursor(query, position) != cursor:
        raise invalid_cursor()
    return position


def decode_position(query: object, cursor: str) -> Position:
    """The position in a cursor of this query.

    Raises:
        InvalidParameters: The cursor is damaged or belongs to another query.
    """
    try:
        return Position.from_bytes(decode_cursor(query, cursor))
    except ValueError:
        raise invalid_cursor() from None


def invalid_cursor() -> InvalidParameters:
    """The error for a cursor that was modified or belongs to another query."""
    message = (
        "This cursor is damaged or belongs to another query: follow links.next unchanged, with the "
        "same filters and the same sort. Omit cursor to start again from the first page."
    )
    return InvalidParameters([ParameterError("cursor", message)])
