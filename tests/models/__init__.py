"""The promises of the models."""
