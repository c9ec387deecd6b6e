"""Publishes a mirror to an object store, from which a CDN serves it."""
