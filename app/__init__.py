"""A read-only, versioned JSON API for the record of one archived web page."""

__version__ = "0.1.0"
