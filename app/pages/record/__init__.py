"""The record as a page for people: read from the archive, footnoted, drawn and rendered."""
