"""Jinja environments. Jinja is imported when the first template is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def template_environment(
    package: str, filters: Mapping[str, Any], *, autoescape: bool = True
) -> Environment:
    """A package's templates, with HTML escaping; undefined variables raise an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - loaded on first use

    environment = Environment(
        loader=PackageLoader(package),
        autoescape=autoescape,  # noqa: S701 - off only for configuration files
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= filters
    return environment
