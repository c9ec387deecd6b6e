"""Tests of publishing a mirror to an object store."""
