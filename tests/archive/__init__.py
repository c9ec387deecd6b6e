"""Tests of `app/archive/`."""
