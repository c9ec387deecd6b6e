"""The compiled record: a SQLite file, written once a release."""
