"""A seed file in the present shape, one entry at a time, with its digests."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

from app.models import RESOURCES
from app.models.canonical import canonical_json
from app.models.document import Key
from app.seed.errors import Issue, SeedError, format_value
from app.seed.reader import SeedReader
from app.seed.shapes import SHAPE, is_readable, readable_shapes, upgrade_entry, upgrade_header

STAMP = "release"
"""Member of a seed that makes it a release; the rest is its content."""
_MEMORY_BYTES = 32_000_000
"""Canonical JSON beyond this is kept in a temporary file until it is hashed."""
_CHUNK_BYTES = 1 << 20
_TYPES: Mapping[str, str] = {model.collection: model.type for model in RESOURCES}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a seed.

    Attributes:
        collection: Name of its list.
        index: Index in that list.
        value: Its JSON value in the present shape.
        canonical: The value as canonical JSON.
    """

    collection: str
    index: int
    value: Any
    canonical: bytes

    @property
    def pointer(self) -> str:
        """JSON pointer of the entry."""
        return f"/{self.collection}/{self.index}"

    @property
    def key(self) -> Key | None:
        """Type and id, also of a resource that is invalid otherwise; None without an id."""
        id_ = self.value.get("id") if isinstance(self.value, dict) else None
        return (_TYPES[self.collection], id_) if isinstance(id_, str) else None

    @property
    def digest(self) -> bytes:
        """A short digest of the value, to compare it with others."""
        return hashlib.blake2b(self.canonical, digest_size=16).digest()


class SeedFile:
    """A seed file that is read one entry at a time, so that memory stays bounded.

    Iterate over it once. The header and the digests are final after the iteration.

    Attributes:
        path: Path of the file.
        header: Members of the file that are not lists of resources, in the present shape.
    """

    header: Mapping[str, Any]

    def __init__(self, path: Path) -> None:
        self.path, self.header = path, {}
        self._reader = SeedReader(path, _TYPES)
        self._digests = _Digests(_TYPES)

    def __iter__(self) -> Iterator[Entry]:
        """Every entry, in the order of the file.

        Raises:
            SeedError: The file cannot be read, is not valid JSON, or is of a shape that cannot be
                read.
        """
        shape = None
        for collection, index, value in self._reader.entries():
            if shape is None:
                shape = self._shape()
            canonical = canonical_json(value)
            self._digests.add_entry(collection, canonical)
            if shape != SHAPE:
                value = upgrade_entry(collection, value, shape)  # noqa: PLW2901 - the same entry
                canonical = canonical_json(value)
            yield Entry(collection, index, value, canonical)
        header = self.members
        if shape not in (None, self._shape()):
            found = "the shape after the lists of resources"
            raise self.error(Issue("/shape", found, "the shape before them"))
        self._digests.header = header
        self.header = upgrade_header(dict(header), shape or self._shape())

    @property
    def members(self) -> Mapping[str, Any]:
        """Members read so far that are not lists of resources, in the shape of the file."""
        return self._reader.metadata

    @property
    def issues(self) -> list[Issue]:
        """Errors found so far that do not prevent reading on."""
        return self._reader.issues

    @property
    def inexact_numbers(self) -> list[Issue]:
        """Numbers found so far that some programs do not read exactly."""
        return self._reader.inexact_numbers

    @property
    def bytes_read(self) -> int:
        """Bytes read so far."""
        return self._reader.bytes_read

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        return self._reader.size

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes of the file, hexadecimal."""
        return self._reader.sha256

    def digest(self) -> str:
        """SHA-256 of the file's JSON in canonical form, hexadecimal: the release."""
        return self._digests.digest(self._digests.header)

    def stamped_digest(self, stamp: object) -> str:
        """What `digest` would be if the file had this stamp; none if it is None."""
        stamped = {**self._digests.header, STAMP: stamp}
        if stamp is None:
            del stamped[STAMP]
        return self._digests.digest(stamped)

    def error(self, *issues: Issue) -> SeedError:
        """The error of this file with the issues found so far and these."""
        return SeedError(self.path, [*self.issues, *issues])

    def _shape(self) -> int:
        """The version of the shape, which must stand before the first list.

        Raises:
            SeedError: It cannot be read.
        """
        shape = self.members.get("shape", 1)
        if not is_readable(shape):
            expected = f"{readable_shapes()}: no other shape of seeds can be read"
            raise self.error(Issue("/shape", format_value(shape), expected))
        return int(shape)


class _Digests:
    """Digests of an object in canonical form, whose lists are added entry by entry.

    The canonical form sorts the members, but a file may have them in any order. So the entries are
    stored, and hashed in order at the end.

    Attributes:
        header: The other members of the object.
    """

    def __init__(self, lists: Collection[str]) -> None:
        self.header: Mapping[str, Any] = {}
        self._spans = dict.fromkeys(lists, (0, 0))
        self._entries = SpooledTemporaryFile(_MEMORY_BYTES)  # noqa: SIM115 - closed with the object

    def __del__(self) -> None:
        self._entries.close()

    def add_entry(self, name: str, canonical: bytes) -> None:
        """Append an entry to a list, none of which is added to after another was begun."""
        start, end = self._spans[name]
        if end:
            self._entries.write(b",")
        else:
            start = self._entries.tell()
        self._entries.write(canonical)
        self._spans[name] = start, self._entries.tell()

    def digest(self, header: Mapping[str, Any]) -> str:
        """SHA-256 of the object with these other members."""
        digest, separator = hashlib.sha256(), b"{"
        for name in sorted({*header, *self._spans}):
            digest.update(b"%b%b:" % (separator, canonical_json(name)))
            if name in self._spans:
                for chunk in self._list(name):
                    digest.update(chunk)
            else:
                digest.update(canonical_json(header[name]))
            separator = b","
        digest.update(b"}")
        return digest.hexdigest()

    def _list(self, name: str) -> Iterator[bytes]:
        """A list in canonical form, in chunks."""
        start, end = self._spans[name]
        self._entries.seek(start)
        yield b"["
        while chunk := self._entries.read(min(_CHUNK_BYTES, end - self._entries.tell())):
            yield chunk
        yield b"]"
