"""Settings, from the environment."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_DATA = Path(__file__).parent.parent / "data"
_ORIGIN = r"^https?://[^\s/?#@]+(/[^\s/?#]+)*$"
_EMAIL = r"^[\w.-]+@[\w.-]+\.[\w.-]+$"
_IATI_REF = r"^[^\s/&|?-]+-[^\s/&|?]+$"
_HOST = r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]"
_HOSTS = rf"^({_HOST})(, ?({_HOST}))*$"
_Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=1_000)]

_EXPECTED = {
    "allowed_hosts": "host names with commas between, such as record.example, *.example.org",
    "public_url": "an address such as https://example.org, without a slash at its end",
    "contact_email": "an address such as data@example.org",
    "iati_reporting_org_ref": "an identifier such as XM-DAC-41302",
    "publisher_name": "one line of text",
    "contact_name": "one line of text",
    "iati_reporting_org_name": "one line of text",
}
"""What takes the shape of a setting's pattern, in words."""

SETTINGS_KEY = "settings"
"""Under which the application's lifespan leaves its settings for the server's connections."""

OrganisationType = Literal[
    "10", "11", "15", "21", "22", "23", "24", "30", "40", "60", "70", "71", "72", "73", "80", "90"
]
"""Codes of IATI's list of the same name."""


def _networks(value: str) -> str:
    """Addresses and networks with commas between; `*` for any."""
    for one in value.split(","):
        if value != "*":
            ip_network(one.strip())
    return value


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
    request_seconds: Annotated[float, Field(gt=0, le=3_600)] = Field(
        10, description="Seconds that a client has to send a request; up to two more pass."
    )
    idle_seconds: Annotated[int, Field(ge=1, le=3_600)] = Field(
        75,
        description="Seconds that a connection may wait for another request; up to two more pass.",
    )
    write_seconds: Annotated[float, Field(gt=0, le=3_600)] = Field(
        30, description="Seconds that a client has to take 64 KiB of an answer that waits for it."
    )
    query_seconds: Annotated[float, Field(gt=0, le=3_600)] = Field(
        10, description="Seconds that one query of the archive may take."
    )
    stop_seconds: Annotated[int, Field(ge=0, le=3_600)] = Field(
        10, description="Seconds that answers on their way have when `serve` is stopped."
    )
    max_connections: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1_000, description="Connections that each process holds; then those that wait are closed."
    )
    max_url_bytes: Annotated[int, Field(ge=256, le=65_536)] = Field(
        16_384, description="Longest URL that is read."
    )
    max_header_bytes: Annotated[int, Field(ge=256, le=262_144)] = Field(
        32_768, description="Longest headers that are read, all together."
    )
    allowed_hosts: Annotated[str, Field(pattern=_HOSTS)] | None = Field(
        None, description="Hosts that may be asked for, with commas, `*.example.org` for any in it."
    )
    forwarded_allow_ips: Annotated[str, AfterValidator(_networks)] | None = Field(
        None, description="Addresses or networks of proxies whose `X-Forwarded-*` is believed."
    )
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        "info", description="Least important messages that `serve` logs."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="How `serve` logs: lines for people, or JSON for programs."
    )
    access_log: bool = Field(True, description="Whether `serve` logs a line per request.")
    telemetry: Literal["off", "otlp", "prometheus"] = Field(
        "off", description="Where OpenTelemetry's figures go: `OTEL_*` says, or to `/metrics`."
    )
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
            f"{str(one['loc'][0]).upper()} is {one['input']!r}: {_wrong(one)}."
            for one in error.errors(include_url=False)
        ]
        raise ConfigurationError(" ".join(told)) from None


def _wrong(error: ErrorDetails) -> str:
    if error["type"] == "string_pattern_mismatch":
        return f"expected {_EXPECTED[str(error['loc'][0])]}"
    return error["msg"].lower()
