"""The seed file: parsing, consistency checks and verification against the source."""
