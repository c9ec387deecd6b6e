"""Query parameters, list queries as SQL, and full-text search."""
