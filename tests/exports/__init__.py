"""Tests of `app/exports/`."""
