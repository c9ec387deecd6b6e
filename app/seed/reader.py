"""A seed file parsed strictly (RFC 8259), one resource at a time."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from app.models.canonical import MAX_SAFE_INTEGER
from app.seed.errors import Issue, SeedError, format_value

_CHUNK_BYTES = 1 << 20
_LOOKAHEAD_CHARACTERS = 2
"""What may follow a complete number and still be part of it: the `e+` of `1e+7`."""
_LONGEST_TOKEN_CHARACTERS = 16
"""No literal or escape is longer; an error further from the end of the text is a real one."""
_MAX_ENTRY_CHARACTERS = 1 << 26
"""Longest entry that is parsed: memory stays bounded whatever the file is."""
_MAX_INTEGER_DIGITS = 19
_SAFE_INTEGER_CHARACTERS = 15
"""An integer of no more characters is below `MAX_SAFE_INTEGER`."""
_BOM = "\ufeff"
_NOT_WHITESPACE = re.compile(r"[^ \t\n\r]")


class SeedReader:
    """Parses the arrays of a JSON object element by element, so that memory stays bounded.

    Attributes:
        metadata: Members of the object that are not arrays of resources.
        issues: Errors found so far that do not prevent reading on.
        inexact_numbers: Numbers found so far that some programs do not read exactly.
        size: Length of the file in bytes.
        bytes_read: Bytes read so far.
    """

    def __init__(
        self,
        path: Path,
        collections: Collection[str],
        max_entry_characters: int = _MAX_ENTRY_CHARACTERS,
    ) -> None:
        self.path, self.collections = path, collections
        self.max_entry_characters = max_entry_characters
        self.metadata: dict[str, Any] = {}
        self.issues: list[Issue] = []
        self.inexact_numbers: list[Issue] = []
        self.size = self.bytes_read = 0
        self._hash = hashlib.sha256()
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._parse_int,
            parse_float=self._parse_float,
            parse_constant=self._parse_float,
        )
        self._is_inexact = False
        self._duplicates: list[tuple[dict[str, Any], str]] = []
        self._text, self._position, self._discarded = "", 0, 0

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read, hexadecimal."""
        return self._hash.hexdigest()

    def entries(self) -> Iterator[tuple[str, int, Any]]:
        """Collection, index and value of every element, in the order of the file.

        Raises:
            SeedError: The file cannot be read or is not valid JSON.
        """
        try:
            with self.path.open("rb") as self._file:
                self.size = os.fstat(self._file.fileno()).st_size
                yield from self._entries()
        except OSError as error:
            raise self._error(error.strerror or str(error), "a readable file") from None
        except UnicodeDecodeError as error:
            byte = self.bytes_read - len(error.object) + error.start
            raise self._error(f"byte {byte} is not UTF-8", "UTF-8") from None
        except RecursionError:
            raise self._error("nesting too deep to parse", "the structure of a seed") from None
        except json.JSONDecodeError as error:
            line, column = self._line_and_column(self._discarded + error.pos)
            found = f"line {line}, column {column}: {error.msg}"
            raise self._error(found, "valid JSON (RFC 8259)") from None

    def _line_and_column(self, position: int) -> tuple[int, int]:
        """Line and column of a character, from 1; the file is read again up to there."""
        line, line_start, passed = 1, 0, 0
        with self.path.open(encoding="utf-8", errors="replace", newline="") as file:
            while chunk := file.read(min(_CHUNK_BYTES, position - passed)):
                if "\n" in chunk:
                    line += chunk.count("\n")
                    line_start = passed + chunk.rindex("\n") + 1
                passed += len(chunk)
        return line, position - line_start + 1

    def _error(self, found: str, expected: str) -> SeedError:
        return SeedError(self.path, [*self.issues, Issue("", found, expected)])

    def _entries(self) -> Iterator[tuple[str, int, Any]]:
        if self._peek() != "{":
            found = format_value(self._parse(""))
            self._finish()
            raise self._error(found, "an object")
        seen: set[str] = set()
        for _ in self._members("{", "}"):
            key = self._parse_key()
            pointer = f"/{escape_pointer(key)}"
            if key in seen:
                self.issues.append(_duplicate_key(pointer))
            if key in self.collections and self._peek() == "[":
                for index, _ in enumerate(self._members("[", "]")):
                    value = self._parse(f"{pointer}/{index}")
                    if key not in seen:
                        yield key, index, value
            elif key in self.collections:
                found = format_value(self._parse(pointer))
                self.issues.append(Issue(pointer, found, "a list of resources"))
            else:
                self.metadata[key] = self._parse(pointer)
            seen.add(key)
        self._finish()
        for key in sorted(set(self.collections) - seen):
            self.issues.append(Issue(f"/{key}", "nothing", "a list of resources"))

    def _members(self, opening: str, closing: str) -> Iterator[None]:
        """Stop before each member of an array or object, for the caller to parse it."""
        self._skip(opening)
        if self._peek() != closing:
            yield
            while self._peek() != closing:
                self._skip(",")
                yield
        self._skip(closing)

    def _finish(self) -> None:
        if self._peek():
            raise self._invalid("Extra data")

    def _skip(self, character: str) -> None:
        if self._peek() != character:
            raise self._invalid(f"expected {character!r}")
        self._position += 1

    def _parse_key(self) -> str:
        if self._peek() != '"':
            raise self._invalid("expected a key in double quotes")
        key: str = self._parse("")
        self._skip(":")
        return key

    def _parse(self, pointer: str) -> Any:
        """The next value; one that is cut off is parsed again with more text."""
        self._peek()
        while True:
            self._duplicates.clear()
            self._is_inexact = False
            try:
                value, end = self._json.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                if not self._is_cut_off(error) or not self._read_more():
                    raise
            else:
                if end + _LOOKAHEAD_CHARACTERS < len(self._text) or not self._read_more():
                    break
        self._position = end
        if self._duplicates:
            pointers = dict(_pointers(value, pointer))
            for owner, key in self._duplicates:
                duplicate = f"{pointers[id(owner)]}/{escape_pointer(key)}"
                self.issues.append(_duplicate_key(duplicate))
        if self._is_inexact:
            self.inexact_numbers += _inexact_numbers(value, pointer)
        return value

    def _is_cut_off(self, error: json.JSONDecodeError) -> bool:
        """Whether the error may be only that the text ends within a value."""
        near_end = error.pos + _LONGEST_TOKEN_CHARACTERS >= len(self._text)
        return near_end or "Unterminated" in error.msg

    def _peek(self) -> str:
        """The next character that is not white space; empty at the end of the file."""
        while (found := _NOT_WHITESPACE.search(self._text, self._position)) is None:
            self._position = len(self._text)
            if not self._read_more():
                return ""
        self._position = found.start()
        if found.group() == _BOM and self._discarded + self._position == 0:  # RFC 8259, 8.1
            raise self._invalid("a byte order mark (BOM)")
        return found.group()

    def _read_more(self) -> bool:
        """Read at least as much again as is left, so that each retry doubles the text.

        Raises:
            SeedError: The entry is too long.
        """
        left = len(self._text) - self._position
        if left > self.max_entry_characters:
            found = f"an entry of more than {self.max_entry_characters:,} characters"
            raise self._error(found, "shorter entries")
        chunk = self._file.read(max(_CHUNK_BYTES, min(left, self.max_entry_characters - left)))
        self.bytes_read += len(chunk)
        text = self._utf8.decode(chunk, final=not chunk)
        if chunk:
            self._hash.update(chunk)
            self._discarded += self._position
            self._text, self._position = self._text[self._position :] + text, 0
        return bool(chunk)

    def _invalid(self, message: str) -> json.JSONDecodeError:
        return json.JSONDecodeError(message, self._text, self._position)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            self._duplicates.extend((found, key) for key, count in counts.items() if count > 1)
        return found

    def _parse_int(self, digits: str) -> int | float:
        """The integer; infinity if it has more digits than any field accepts, -0.0 for `-0`."""
        if len(digits) <= _SAFE_INTEGER_CHARACTERS and digits != "-0":
            return int(digits)
        number: int | float = int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else float("inf")
        if digits == "-0":  # some programs write it as 0
            number = -0.0
        self._is_inexact |= isinstance(number, float) or abs(number) > MAX_SAFE_INTEGER
        return number

    def _parse_float(self, digits: str) -> float:
        self._is_inexact = True
        return float(digits)


def escape_pointer(key: str) -> str:
    """A key as a reference token of a JSON pointer (RFC 6901, 3)."""
    return key.replace("~", "~0").replace("/", "~1")


def _duplicate_key(pointer: str) -> Issue:
    return Issue(pointer, "a duplicate key", "unique keys")


def _inexact_numbers(value: object, pointer: str) -> Iterator[Issue]:
    """Every float in a value, and every integer that programs with floats only would round."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _inexact_numbers(member, f"{pointer}/{escape_pointer(key)}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _inexact_numbers(member, f"{pointer}/{index}")
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER):
        expected = f"an integer of at most {MAX_SAFE_INTEGER:,}, which every program reads exactly"
        yield Issue(pointer, format_value(value), expected)


def _pointers(value: object, pointer: str) -> Iterator[tuple[int, str]]:
    """Identity and JSON pointer of every object in a value."""
    if isinstance(value, dict):
        yield id(value), pointer
        for key, member in value.items():
            yield from _pointers(member, f"{pointer}/{escape_pointer(key)}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _pointers(member, f"{pointer}/{index}")
