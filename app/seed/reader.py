"""A seed file read an entry at a time, so that memory does not grow with the file."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from app.seed.errors import Issue, SeedError, format_value

_CHUNK = 1 << 20
_LARGEST_ENTRY = 1 << 26
_LONGEST_INTEGER = 19
_NEAR = 16
_SPACE = " \t\n\r"
_BOM = "\ufeff"


class SeedReader:
    """Reads the entries of a JSON object's lists, strictly (RFC 8259).

    Attributes:
        header: Members of the object that are not lists of entries.
        length: Length of the file in bytes, once it is open.
        issues: What is wrong but does not keep the rest from being read.
        size: Length of the file in bytes, once it is read.
        release: SHA-256 of the file, hexadecimal, once it is read.
    """

    def __init__(self, path: Path, collections: Collection[str]) -> None:
        self.path, self.collections = path, collections
        self.header: dict[str, Any] = {}
        self.issues: list[Issue] = []
        self.length = 0
        self.size = 0
        self.release = ""
        self._text: _Text | None = None

    def entries(self) -> Iterator[tuple[str, int, Any]]:
        """Collection, number and value of every entry, in the order of the file.

        Raises:
            SeedError: The file cannot be read as JSON.
        """
        try:
            with self.path.open("rb") as file:
                self._text = text = _Text(file)
                self.length = os.fstat(file.fileno()).st_size
                yield from self._members(text)
                self.size, self.release = text.size, text.hashed.hexdigest()
        except OSError as error:
            raise self._error(error.strerror or str(error), "a readable file") from None
        except UnicodeDecodeError as error:
            raise self._error(f"byte {error.start} is not UTF-8", "UTF-8") from None
        except RecursionError:
            raise self._error("nesting too deep to read", "a seed's shape") from None
        except json.JSONDecodeError as error:
            raise self._error(error.msg, "valid JSON (RFC 8259)") from None

    @property
    def done(self) -> int:
        """Bytes that were read so far."""
        return self._text.size if self._text is not None else 0

    def _error(self, found: str, expected: str) -> SeedError:
        return SeedError(self.path, [*self.issues, Issue("", found, expected)])

    def _members(self, text: _Text) -> Iterator[tuple[str, int, Any]]:
        if text.peek() != "{":
            value = text.value()
            text.end()
            raise self._error(format_value(value), "an object")
        seen: set[str] = set()
        for _ in text.items("{", "}"):
            key = text.key()
            pointer = f"/{escape_pointer(key)}"
            if key in seen:
                self.issues.append(Issue(pointer, "the key twice", "each key once"))
            if key in self.collections and text.peek() == "[":
                for index, _ in enumerate(text.items("[", "]")):
                    value = self._value(text, f"{pointer}/{index}")
                    if key not in seen:
                        yield key, index, value
            elif key in self.collections:
                found = format_value(self._value(text, pointer))
                self.issues.append(Issue(pointer, found, "a list of resources"))
            else:
                self.header[key] = self._value(text, pointer)
            seen.add(key)
        text.end()
        for key in sorted(set(self.collections) - seen):
            self.issues.append(Issue(f"/{key}", "nothing", "a list of resources"))

    def _value(self, text: _Text, pointer: str) -> Any:
        value = text.value()
        if text.repeated:
            places = dict(_places(value, pointer))
            for owner, key in text.repeated:
                place = f"{places.get(id(owner), pointer)}/{escape_pointer(key)}"
                self.issues.append(Issue(place, "the key twice", "each key once"))
        return value


class _Text:
    """A window on the text of a file, moved on as values are read from it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.hashed = hashlib.sha256()
        self.size = 0
        self.repeated: list[tuple[dict[str, Any], str]] = []
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._parser = json.JSONDecoder(object_pairs_hook=self._pairs, parse_int=_integer)
        self._window, self._place, self._ended = "", 0, False
        self._line, self._column = 1, 1

    def peek(self) -> str:
        """The next character that is not white space; empty at the end.

        Raises:
            json.JSONDecodeError: The file begins with a byte order mark (RFC 8259, 8.1).
        """
        while True:
            while self._place < len(self._window):
                if self._window[self._place] == _BOM and self._place == 0:
                    raise self._wrong("a byte order mark (BOM)")
                if self._window[self._place] not in _SPACE:
                    return self._window[self._place]
                self._place += 1
            if not self._more():
                return ""

    def items(self, opening: str, closing: str) -> Iterator[None]:
        """Stops at each member of a list or object, between its brackets and commas.

        Raises:
            json.JSONDecodeError: The punctuation is wrong.
        """
        self._take(opening)
        if self.peek() == closing:
            self._take(closing)
            return
        while True:
            yield
            if self.peek() == closing:
                self._take(closing)
                return
            self._take(",")

    def key(self) -> str:
        """The name of a member, past its colon.

        Raises:
            json.JSONDecodeError: There is none.
        """
        if self.peek() != '"':
            raise self._wrong("expected a key in double quotes")
        key: str = self.value()
        self._take(":")
        return key

    def value(self) -> Any:
        """The next value; `repeated` then names what keys it has twice.

        Raises:
            json.JSONDecodeError: There is no valid value.
        """
        self.peek()
        while True:
            self.repeated.clear()
            try:
                value, place = self._parser.raw_decode(self._window, self._place)
            except json.JSONDecodeError as error:
                wrong = self._wrong(error.msg, error.pos)
                cut = error.pos >= len(self._window) - _NEAR or "Unterminated" in error.msg
                if not cut or not self._more():
                    raise wrong from None
            else:
                if self._ended or place < len(self._window) - _NEAR:
                    self._place = place
                    return value
                self._more()  # a number may go on: "1" may be "1.5e+7"

    def end(self) -> None:
        """Make sure that nothing follows.

        Raises:
            json.JSONDecodeError: Something does.
        """
        if self.peek():
            raise self._wrong("Extra data")

    def _take(self, character: str) -> None:
        if self.peek() != character:
            raise self._wrong(f"expected {character!r}")
        self._place += 1

    def _more(self) -> bool:
        """Let go of what was read and read on; whether there was anything.

        What is left is read again with what comes, so as much comes: each time twice as much.
        """
        if self._ended:
            return False
        left = len(self._window) - self._place
        if left > _LARGEST_ENTRY:
            raise self._wrong(f"an entry of more than {_LARGEST_ENTRY} characters")
        chunk = self.file.read(max(_CHUNK, min(left, _LARGEST_ENTRY - left)))
        self._ended = not chunk
        self.hashed.update(chunk)
        waiting = len(self._decoder.getstate()[0])
        try:
            decoded = self._decoder.decode(chunk, final=self._ended)
        except UnicodeDecodeError as error:
            error.start += self.size - waiting
            raise
        self.size += len(chunk)
        self._line, self._column = self._where(self._place)
        self._window, self._place = self._window[self._place :] + decoded, 0
        return bool(chunk)

    def _where(self, place: int) -> tuple[int, int]:
        """Line and column of a place in the window, from 1."""
        lines = self._window.count("\n", 0, place)
        if not lines:
            return self._line, self._column + place
        return self._line + lines, place - self._window.rfind("\n", 0, place)

    def _wrong(self, message: str, place: int | None = None) -> json.JSONDecodeError:
        line, column = self._where(self._place if place is None else place)
        return json.JSONDecodeError(f"line {line}, column {column}: {message}", "", 0)

    def _pairs(self, items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            counted = Counter(key for key, _ in items)
            self.repeated.extend((found, key) for key, count in counted.items() if count > 1)
        return found


def escape_pointer(key: str) -> str:
    """A key as part of a JSON pointer (RFC 6901, 3)."""
    return key.replace("~", "~0").replace("/", "~1")


def _integer(digits: str) -> int | float:
    """The number, or infinity where it has more digits than any field takes."""
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float("inf")


def _places(value: object, pointer: str) -> Iterator[tuple[int, str]]:
    if isinstance(value, dict):
        yield id(value), pointer
        for key, member in value.items():
            yield from _places(member, f"{pointer}/{escape_pointer(key)}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _places(member, f"{pointer}/{index}")
