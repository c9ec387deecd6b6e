"""Tests of `app/server/`."""
