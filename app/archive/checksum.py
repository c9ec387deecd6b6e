"""A CRC-32 of the whole archive, stored in its own header.

It is stored as SQLite's `user_version`, four bytes of the header reserved for applications (SQLite
file format, 1.3.13), so the file remains a plain SQLite database and needs no second file.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

_OFFSET_BYTES, _CHECKSUM_BYTES = 60, 4
_CHUNK_BYTES = 1 << 20


def write_checksum(path: Path) -> None:
    """Store the checksum; the file must not change afterwards."""
    checksum = _checksum(path)
    with path.open("r+b") as file:
        file.seek(_OFFSET_BYTES)
        file.write(checksum)


def checksum_matches(path: Path) -> bool:
    """Whether the file is unchanged since `write_checksum`.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        file.seek(_OFFSET_BYTES)
        return file.read(_CHECKSUM_BYTES) == _checksum(path)


def _checksum(path: Path) -> bytes:
    """CRC-32 of all bytes except those that store it."""
    with path.open("rb", buffering=0) as file:
        checksum = zlib.crc32(file.read(_OFFSET_BYTES))
        file.seek(_CHECKSUM_BYTES, os.SEEK_CUR)
        while chunk := file.read(_CHUNK_BYTES):
            checksum = zlib.crc32(chunk, checksum)
    return checksum.to_bytes(_CHECKSUM_BYTES, "big")
