"""The command line of `cpc-record`."""

from app.commands.editing import cli, main

__all__ = ["cli", "main"]
