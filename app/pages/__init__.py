"""HTML pages: the guide and the record page."""
