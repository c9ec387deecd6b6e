"""Tests of `app/query/`."""
