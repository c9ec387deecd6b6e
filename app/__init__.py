"""A read-only, versioned JSON API for one archived program record."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("cpc-record")
except PackageNotFoundError:  # run from a checkout that was not installed
    __version__ = "0+unknown"
