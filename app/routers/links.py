"""The `Link` headers of responses (RFC 8288)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from fastapi import Request

from app.archive.archive import Archive
from app.exports.citing import release_address
from app.settings import Settings


def next_link_header(links: Mapping[str, str | None]) -> dict[str, str]:
    """The `Link: rel="next"` header of a page (RFC 8288). Empty for the last page."""
    return {"Link": f'<{links["next"]}>; rel="next"'} if links["next"] else {}


def cite_as_link(request: Request, archive: Archive) -> str:
    """The value of a `Link` header with the address to cite, that of the release (RFC 8574)."""
    settings: Settings = request.app.state.settings
    return f'<{release_address(archive.label, settings.public_url)}>; rel="cite-as"'


def entry_link_header(archive: Archive) -> dict[str, str]:
    """The `Link` header of `/`, `/v1` and the API catalog (RFC 8288; RFC 8631; RFC 9727, 3)."""
    license_url = quote(archive.metadata["license"]["url"], safe="%/:=&?~#+!$,;'@()*[]")
    links = (
        '</openapi.json>; rel="service-desc"; type="application/json"',
        '</docs>; rel="service-doc"; type="text/html"',
        '</.well-known/api-catalog>; rel="api-catalog"',
        f'<{license_url}>; rel="license"',
    )
    return {"Link": ", ".join(links)}
