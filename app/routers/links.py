"""The `Link` headers of responses (RFC 8288), with the relations of FAIR Signposting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from urllib.parse import quote

from fastapi import Request

from app.archive.archive import Archive
from app.exports.citing import FILES as CITATION_FILES
from app.exports.citing import release_address
from app.exports.listing import (
    CATALOG_NAMES,
    COLLECTIONS_CSV,
    COLLECTIONS_PARQUET,
    CSV_METADATA,
    Export,
)
from app.settings import Settings

DATASET_PATH = "/dataset.jsonld"
"""Path of the description of the record as a schema.org Dataset."""
DATASET_MEDIA_TYPE = "application/ld+json"
LLMS_PATH = "/llms.txt"
"""Path of the overview for language models."""
API_CATALOG_PATH = "/.well-known/api-catalog"

_LANDING_PAGE = "/"
_CITATION_FILE = "citation.json"
_SCHEMA_ORG = "https://schema.org/"
_DOWNLOAD_TYPE = f"{_SCHEMA_ORG}DataDownload"
_TABLES = frozenset(
    export.name
    for export in (*COLLECTIONS_CSV.values(), *COLLECTIONS_PARQUET.values(), CSV_METADATA)
)
"""Names of the exports of single collections, and of their description."""
_MAX_CACHED_HEADERS = 64
_ITEM_TYPES: Mapping[str, str] = {
    "partnerships": f"{_SCHEMA_ORG}Project",
    "objectives": f"{_SCHEMA_ORG}Intangible",
    "awards": f"{_SCHEMA_ORG}Project",
    "activities": f"{_SCHEMA_ORG}Action",
    "regions": f"{_SCHEMA_ORG}Place",
    "organizations": f"{_SCHEMA_ORG}Organization",
    "sources": f"{_SCHEMA_ORG}WebPage",
    "citations": "http://www.w3.org/ns/oa#SpecificResource",
}
"""What the items of each collection are (RFC 6903, 6), by the collection's name.

It is the same for all items of a collection, as a mirror has one set of headers for them. A more
specific type, such as a grant for awards, would state what the sources may not.
"""


def next_link_header(links: Mapping[str, str | None]) -> dict[str, str]:
    """The `Link: rel="next"` header of a page (RFC 8288). Empty for the last page."""
    target = links["next"]
    return _header(_link(target, "next")) if target else {}


def entry_link_header(request: Request, archive: Archive) -> dict[str, str]:
    """The `Link` header of `/v1` and the API catalog (RFC 8288; RFC 8631; RFC 9727, 3)."""
    return _header(*_entry_links(request, archive))


def landing_page_link_header(
    request: Request, archive: Archive, exports: Iterable[Export]
) -> dict[str, str]:
    """The `Link` header of `/`: that of `/v1`, what describes the record, and its exports."""
    return _header(
        *_entry_links(request, archive),
        _link(_cited_address(request, archive), "cite-as"),
        _link(f"{_SCHEMA_ORG}AboutPage", "type"),
        _link(f"{_SCHEMA_ORG}Dataset", "type"),
        _dataset_link(),
        _citation_link(),
        *(_export_link(export) for export in whole_exports(exports)),
    )


def whole_exports(exports: Iterable[Export]) -> list[Export]:
    """The exports without the tables of single collections, which the Data Package has, too.

    Proxies accept a few kilobytes of headers, so not every file can have a link in them.
    """
    return [export for export in exports if export.name not in _TABLES]


def item_link_header(request: Request, archive: Archive, collection: str) -> dict[str, str]:
    """The `Link` header of an item of a collection; it is the same for all of its items."""
    return _content_header(request, archive, f"/v1/{collection}", _ITEM_TYPES[collection])


def download_link_header(
    request: Request, archive: Archive, export: Export | None = None
) -> dict[str, str]:
    """The `Link` header of an export, which belongs to the record page.

    In that of a CSV file, the description of its columns comes first: processors of CSVW take the
    first description that they can read (Model for Tabular Data, 5.2).
    """
    header = _content_header(request, archive, _LANDING_PAGE, _DOWNLOAD_TYPE)
    if export not in COLLECTIONS_CSV.values():
        return header
    columns = _link(CSV_METADATA.path, "describedby", type=CSV_METADATA.media_type)
    return _header(columns, header["Link"])


def description_link_header(archive: Archive) -> dict[str, str]:
    """The `Link` header of a description of the record, such as a catalog."""
    license_url = archive.metadata["license"]["url"]
    return _header(_link(_LANDING_PAGE, "describes", type="text/html"), _license_link(license_url))


def _content_header(
    request: Request, archive: Archive, collection: str, type_: str
) -> dict[str, str]:
    address, license_url = _cited_address(request, archive), archive.metadata["license"]["url"]
    return _header(_content_links(address, license_url, collection, type_))


@lru_cache(_MAX_CACHED_HEADERS)
def _content_links(cited_address: str, license_url: str, collection: str, type_: str) -> str:
    """The links of an item or an export. They are few, and every uncached item has them."""
    return ", ".join(
        [
            _link(cited_address, "cite-as"),
            _link(collection, "collection"),
            _link(type_, "type"),
            _dataset_link(),
            _license_link(license_url),
        ]
    )


def _entry_links(request: Request, archive: Archive) -> Iterator[str]:
    settings: Settings = request.app.state.settings
    yield _link("/openapi.json", "service-desc", type="application/json")
    yield _link("/docs", "service-doc", type="text/html")
    yield _link(LLMS_PATH, "service-doc", type="text/plain")
    if settings.public_url is not None:  # the catalog needs absolute addresses
        yield _link(API_CATALOG_PATH, "api-catalog")
    yield _license_link(archive.metadata["license"]["url"])


def _cited_address(request: Request, archive: Archive) -> str:
    """The address to cite, that of the release (RFC 8574)."""
    settings: Settings = request.app.state.settings
    return release_address(archive.label, settings.public_url)


def _citation_link() -> str:
    media_type = CITATION_FILES[_CITATION_FILE].media_type
    return _link(f"/v1/cite/{_CITATION_FILE}", "describedby", type=media_type)


def _export_link(export: Export) -> str:
    """A link from the record to an export, which is a catalog entry or the record itself."""
    if export.name in CATALOG_NAMES:
        standard = export.conforms_to
        return _link(export.path, "describedby", type=export.bare_media_type, profile=standard)
    return _link(export.path, "item", type=export.bare_media_type)


def _dataset_link() -> str:
    return _link(DATASET_PATH, "describedby", type=DATASET_MEDIA_TYPE)


def _license_link(url: str) -> str:
    """The license of the facts. A resource has one such link; readers ignore any other."""
    return _link(quote(url, safe="%/:=&?~#+!$,;'@()*[]"), "license")


def _header(*links: str) -> dict[str, str]:
    return {"Link": ", ".join(links)}


def _link(target: str, relation: str, **attributes: str | None) -> str:
    """One link (RFC 8288, 3), without the attributes that are None."""
    pairs = {"rel": relation, **attributes}
    return "; ".join(
        [f"<{target}>", *(f'{name}="{value}"' for name, value in pairs.items() if value)]
    )
