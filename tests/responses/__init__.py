"""Tests of `app/responses/`."""
