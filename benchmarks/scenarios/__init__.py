"""Benchmark scenarios: one per module, each with a `measure` function."""
