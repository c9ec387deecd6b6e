"""Faults, floods, bad input and attack, acted out on the real thing: `make torture`."""
