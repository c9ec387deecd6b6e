"""Tests of `app/routers/`."""
