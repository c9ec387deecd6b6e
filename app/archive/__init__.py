"""The compiled record: a SQLite file, built once per release."""
