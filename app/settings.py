"""Settings, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

_DATA = Path(__file__).parent.parent / "data"
_ORIGIN = r"^https?://[^\s/?#@]+(/[^\s/?#]+)*$"
_EMAIL = r"^[\w.-]+@[\w.-]+\.[\w.-]+$"
_IATI_REF = r"^[^\s/&|?-]+-[^\s/&|?]+$"
_Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=1_000)]

OrganisationType = Literal[
    "10", "11", "15", "21", "22", "23", "24", "30", "40", "60", "70", "71", "72", "73", "80", "90"
]
"""Codes of IATI's list of the same name."""


class ConfigurationError(Exception):
    """A setting that cannot be used; the message is a sentence for a person."""


class Settings(BaseSettings):
    """What can be set, each by the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    host: Annotated[str, Field(min_length=1)] = Field(
        "127.0.0.1", description="Address that `serve` listens on."
    )
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        8000, description="Port that `serve` listens on; 0 for any free one."
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(
        1, description="Processes that `serve` answers with."
    )
    seed_file: Path = Field(_DATA / "seed.json", description="The record.")
    archive_file: Path = Field(
        _DATA / "archive.sqlite",
        description="Where the compiled record is kept; written when it is not the seed's own.",
    )
    max_age: Annotated[int, Field(ge=0, le=31_536_000)] = Field(
        3_600, description="Seconds that a client may keep an answer without asking again."
    )
    cache_bytes: Annotated[int, Field(ge=0, le=2**40)] = Field(
        64_000_000, description="Bytes of answers that each process keeps; 0 for none."
    )
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        "info", description="Least important messages that `serve` logs."
    )
    access_log: bool = Field(True, description="Whether `serve` logs a line per request.")
    public_url: Annotated[str, Field(pattern=_ORIGIN)] | None = Field(
        None, description="Where the API is found from outside, as `https://example.org`."
    )
    publisher_name: _Line | None = Field(
        None, description="Who publishes the record, for `/data.json`."
    )
    contact_name: _Line | None = Field(None, description="Who answers questions, for `/data.json`.")
    contact_email: Annotated[str, Field(pattern=_EMAIL)] | None = Field(
        None, description="Address of who answers questions, for `/data.json`."
    )
    iati_reporting_org_ref: Annotated[str, Field(pattern=_IATI_REF)] | None = Field(
        None, description="IATI organisation identifier of who reports `iati.xml`."
    )
    iati_reporting_org_name: _Line | None = Field(
        None, description="Name of who reports `iati.xml`."
    )
    iati_reporting_org_type: OrganisationType | None = Field(
        None, description="Type of who reports `iati.xml`, a code such as `22`."
    )


def read_settings() -> Settings:
    """The settings of this process.

    Raises:
        ConfigurationError: A variable has a value that cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        told = [
            f"{str(one['loc'][0]).upper()} is {one['input']!r}: {one['msg'].lower()}."
            for one in error.errors(include_url=False)
        ]
        raise ConfigurationError(" ".join(told)) from None
