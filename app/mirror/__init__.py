"""The static mirror: the default response of every URL as a file, for any web server."""
