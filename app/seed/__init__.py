"""The seed: read, checked and verified."""
