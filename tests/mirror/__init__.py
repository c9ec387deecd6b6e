"""Tests of `app/mirror/`."""
