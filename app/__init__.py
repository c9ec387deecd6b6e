"""A read-only, versioned JSON API for one archived program record."""

__version__ = "0.1.0"
