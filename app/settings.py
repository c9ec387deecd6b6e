"""Settings, read from the environment."""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_PARSER_MAX_URL_BYTES = 65_535
"""Longest URL that the HTTP parser (httptools) accepts."""
_DATA = Path(__file__).parent.parent / "data"
_ORIGIN_PATTERN = r"^https?://([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$"
"""Scheme, host and optional port (RFC 3986, 3.2), in ASCII."""
_EMAIL_ATOM = r"[A-Za-z0-9_~!$&'*+=-]+"
_DOMAIN_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_EMAIL_PATTERN = (
    rf"^{_EMAIL_ATOM}(\.{_EMAIL_ATOM})*@{_DOMAIN_LABEL}(\.{_DOMAIN_LABEL})*\.{_DOMAIN_LABEL}$"
)
"""A dot-atom (RFC 5322, 3.2.3) of characters that the schema of DCAT-US accepts in `hasEmail`."""
_IATI_REF_PATTERN = r"^[^\s/&|?-]+-[^\s/&|?]+$"
_HOST_PATTERN = r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]"
_HOST_LIST_PATTERN = rf"^({_HOST_PATTERN})(, ?({_HOST_PATTERN}))*$"
_Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=1_000)]

_EXPECTED = {
    "allowed_hosts": "comma-separated host names, such as record.example, *.example.org",
    "public_url": "scheme, host and optional port, such as https://example.org; it has no path, "
    "not even a slash, as every link starts at the root of the host",
    "contact_email": "an email address such as data@example.org, in ASCII",
    "iati_reporting_org_ref": "an identifier such as XM-DAC-41302",
    "publisher_name": "one line of text",
    "contact_name": "one line of text",
    "iati_reporting_org_name": "one line of text",
}
"""What error messages say instead of a setting's regular expression."""

SETTINGS_KEY = "settings"
"""Key of the ASGI lifespan state under which connections find the settings."""

OrganisationType = Literal[
    "10", "11", "15", "21", "22", "23", "24", "30", "40", "60", "70", "71", "72", "73", "80", "90"
]
"""Codes of the IATI codelist of the same name."""


def _validate_networks(value: str) -> str:
    """The value unchanged: comma-separated addresses and networks, or `*`.

    Raises:
        ValueError: A part is none of these.
    """
    for part in value.split(","):
        if value != "*":
            ip_network(part.strip())
    return value


class ConfigurationError(Exception):
    """An invalid setting; the message is complete sentences for the operator."""


class Settings(BaseModel):
    """All settings, by default as they are without environment variables."""

    model_config = ConfigDict(frozen=True)

    host: Annotated[str, Field(min_length=1)] = Field(
        "127.0.0.1", description="Address that `serve` listens on."
    )
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        8000, description="Port that `serve` listens on; 0 picks a free one."
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(
        1, description="Number of worker processes."
    )
    seed_file: Path = Field(
        _DATA / "seed.json",
        description="JSON file that the record is compiled from; the outlines that it declares "
        "(`regions.geojson`) and earlier releases (`releases/`) are read from its directory.",
    )
    archive_file: Path = Field(
        _DATA / "archive.sqlite",
        description="Compiled database; rebuilt when it does not match `SEED_FILE`.",
    )
    max_age: Annotated[int, Field(ge=0, le=31_536_000)] = Field(
        3_600,
        description="How long caches may reuse successful responses, in seconds "
        "(`Cache-Control: max-age`).",
    )
    cache_bytes: Annotated[int, Field(ge=0, le=2**40)] = Field(
        64_000_000, description="Size of each worker's response cache in bytes; 0 turns it off."
    )
    request_seconds: Annotated[float, Field(gt=0, le=3_600)] = Field(
        10, description="Timeout for receiving a request, in seconds (enforced within 2 s)."
    )
    idle_seconds: Annotated[int, Field(ge=1, le=3_600)] = Field(
        75, description="Keep-alive timeout, in seconds (enforced within 2 s)."
    )
    write_seconds: Annotated[float, Field(gt=0, le=3_600)] = Field(
        30,
        description="Write timeout: a client that reads less than 64 KiB in this many seconds is "
        "disconnected.",
    )
    query_seconds: Annotated[float, Field(gt=0, le=3_600)] = Field(
        10, description="Query timeout: seconds until a database query is interrupted."
    )
    drain_seconds: Annotated[int, Field(ge=0, le=3_600)] = Field(
        0,
        description="Seconds from SIGTERM to shutdown: `/readyz` returns 503, requests are served, "
        "and each connection is closed after its next response.",
    )
    stop_seconds: Annotated[int, Field(ge=0, le=3_600)] = Field(
        10, description="Graceful shutdown: seconds to finish in-flight responses."
    )
    max_connections: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1_000,
        description="Maximum connections per worker; beyond it, the longest-waiting incomplete "
        "request or idle connection is closed, never one with a response in flight.",
    )
    max_url_bytes: Annotated[int, Field(ge=256, le=_PARSER_MAX_URL_BYTES)] = Field(
        16_384,
        description="Maximum length of a URL in bytes, up to 65535; longer ones are rejected "
        "with 414.",
    )
    max_header_bytes: Annotated[int, Field(ge=256, le=262_144)] = Field(
        32_768,
        description="Maximum size of all request headers in bytes; more are rejected with 431.",
    )
    allowed_hosts: Annotated[str, Field(pattern=_HOST_LIST_PATTERN)] | None = Field(
        None,
        description="Accepted `Host` names, comma-separated; `*.example.org` matches subdomains.",
    )
    forwarded_allow_ips: Annotated[str, AfterValidator(_validate_networks)] | None = Field(
        None,
        description="Addresses or networks of proxies whose `X-Forwarded-*` headers are trusted.",
    )
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        "info", description="Lowest level that `serve` logs."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="`console` (text lines) or `json` (one object per line)."
    )
    access_log: bool = Field(True, description="Whether `serve` logs every request.")
    telemetry: Literal["off", "otlp", "prometheus"] = Field(
        "off",
        description="`off`, `otlp` (configured by `OTEL_*`) or `prometheus` (serves `/metrics`).",
    )
    public_url: Annotated[str, Field(pattern=_ORIGIN_PATTERN)] | None = Field(
        None, description="Public URL of the API, without a path, such as `https://example.org`."
    )
    publisher_name: _Line | None = Field(
        None, description="Publisher of the record, for the DCAT-US catalogs, `/` and `/v1/cite`."
    )
    contact_name: _Line | None = Field(
        None, description="Contact's name, for the DCAT-US catalogs."
    )
    contact_email: Annotated[str, Field(pattern=_EMAIL_PATTERN)] | None = Field(
        None, description="Contact's email address, for the DCAT-US catalogs."
    )
    iati_reporting_org_ref: Annotated[str, Field(pattern=_IATI_REF_PATTERN)] | None = Field(
        None, description="Reporting organization of `iati.xml`: IATI organisation identifier."
    )
    iati_reporting_org_name: _Line | None = Field(
        None, description="Reporting organization of `iati.xml`: name."
    )
    iati_reporting_org_type: OrganisationType | None = Field(
        None,
        description="Reporting organization of `iati.xml`: OrganisationType code, such as `22`.",
    )


def read_settings() -> Settings:
    """The settings of this process: each is the environment variable of its name, in any case.

    An empty variable counts as none.

    Raises:
        ConfigurationError: An environment variable has an invalid value.
    """
    given = {name.lower(): value for name, value in os.environ.items() if value}
    try:
        return Settings.model_validate(
            {name: given[name] for name in Settings.model_fields if name in given}
        )
    except ValidationError as error:
        messages = [
            f"{str(detail['loc'][0]).upper()} is {detail['input']!r}: {_reason(detail)}."
            for detail in error.errors(include_url=False)
        ]
        raise ConfigurationError(" ".join(messages)) from None


def _reason(detail: ErrorDetails) -> str:
    if detail["type"] == "string_pattern_mismatch":
        return f"expected {_EXPECTED[str(detail['loc'][0])]}"
    return detail["msg"].lower()
