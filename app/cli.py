"""The command line of `cpc-record`."""

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from app.commands.building import build, freeze
from app.commands.editing import cite, coverage, edit, new, quote
from app.commands.publishing import publish
from app.commands.releasing import release
from app.commands.schemas import openapi, schema
from app.commands.serving import serve
from app.commands.verifying import verify


class _FlagsWithoutType:
    """Makes the help show flags without the type of a value, as they take none."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters of the command, with `--help`."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if getattr(parameter, "is_flag", False):
                parameter.metavar = ""
        return parameters


class _Command(_FlagsWithoutType, TyperCommand):
    """A command."""


class _Commands(_FlagsWithoutType, TyperGroup):
    """The group of all commands."""


cli = typer.Typer(
    cls=_Commands,
    name="cpc-record",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Check, compile and serve the record of archived web pages in a seed file.",
    epilog="Exit codes: 0 success; 1 invalid seed or failed check; 2 wrong usage or setting; 3 the "
    "archive cannot be read or written; 4 the address is not available; 5 a copy of a page has "
    "every quote, but is not the cited text. Every setting can come from the environment; options "
    "override it.",
)
for command in (serve, build, verify, freeze, publish, schema, openapi):
    cli.command(cls=_Command)(command)
for editing_command in (new, quote, cite, coverage, edit, release):
    cli.command(cls=_Command, rich_help_panel="Commands for editing a seed")(editing_command)


def main() -> None:
    """Run the command line: the entry point of `cpc-record` and `python -m app`."""
    cli()
