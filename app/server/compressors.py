"""Versions of the libraries that compress responses."""

from __future__ import annotations

import sys
import zlib
from functools import cache

import brotli
import starlette_compress

if sys.version_info >= (3, 14):
    from compression import zstd

    _ZSTD_VERSION = zstd.zstd_version
else:
    import zstandard

    _ZSTD_VERSION = f"{zstandard.__version__} {'.'.join(map(str, zstandard.ZSTD_VERSION))}"


@cache
def compressor_version(encoding: bytes) -> str:
    """Versions of all that determines how a body is compressed; empty without content coding.

    zlib is linked at run time, so that the version it was compiled with is not the one that counts.
    """
    libraries = {
        b"gzip": zlib.ZLIB_RUNTIME_VERSION,
        b"br": brotli.__version__,
        b"zstd": _ZSTD_VERSION,
    }
    library = libraries.get(encoding)
    return f"{starlette_compress.__version__} {library}" if library else ""
