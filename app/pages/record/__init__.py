"""The record as one HTML page with footnotes, a timeline, a map and JSON-LD."""
