"""Tests of `app/seed/`."""
