"""Caches between the API and its clients."""
