"""A read-only, versioned JSON API for the record of one archived web page."""

__version__ = "1.0.0"
