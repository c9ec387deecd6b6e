"""Fault injection, load, invalid input and attacks against real processes: `make torture`."""
