"""The archive's seal: a checksum of the whole file, kept within it.

It is SQLite's `user_version`, four bytes of the header that are the application's own (its file
format, 1.3.13), so the file stays one that every SQLite reads and needs no other beside it.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

_PLACE, _SIZE = 60, 4
_PIECE = 1 << 20


def write_checksum(path: Path) -> None:
    """Write the seal; the file must not change afterwards."""
    checksum = _checksum(path)
    with path.open("r+b") as file:
        file.seek(_PLACE)
        file.write(checksum)


def checksum_matches(path: Path) -> bool:
    """Whether the file is, to the byte, what it was when it was sealed.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        file.seek(_PLACE)
        return file.read(_SIZE) == _checksum(path)


def _checksum(path: Path) -> bytes:
    """CRC-32 of the file with the seal's own place left out."""
    with path.open("rb", buffering=0) as file:
        checksum = zlib.crc32(file.read(_PLACE))
        file.seek(_SIZE, os.SEEK_CUR)
        while piece := file.read(_PIECE):
            checksum = zlib.crc32(piece, checksum)
    return checksum.to_bytes(_SIZE, "big")
