"""Tests of `app/pages/`."""
