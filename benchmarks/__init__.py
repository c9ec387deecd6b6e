"""Benchmarks against other servers, and the generated data they run on."""
