"""Clients that generators of other people make from the OpenAPI documents."""
