"""The record as a static mirror: every default answer as a file, for any web server."""
