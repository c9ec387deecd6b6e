"""HTML pages: the API guide, the problem pages and the record page."""
