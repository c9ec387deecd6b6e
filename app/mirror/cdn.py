"""What a CDN in front of an object store needs: names of objects, and the headers of responses.

An object is named by the path of its address and a content coding, so that the rule of the CDN
depends on neither the release nor the media type, and no name ends in a slash or is a directory of
another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from app.mirror.entries import Entry
from app.mirror.rules import RANGES_PREFIX, Rules

CLOUDFRONT_POLICY = "cdn/cloudfront-headers.json"
"""File of the mirror with a response headers policy, for errors that no function sees."""
HEADERS = "headers.json"
"""File of the mirror with the headers of every address."""
ROOT = "index"
"""Name of the object of `/`; there is no such address."""
IDENTITY = "identity"
PUBLISHED_CODINGS = ("gzip", "br")
"""Content codings that every object is published in, exports excepted; CDNs negotiate these two."""
GONE_SUFFIX = ".gone"
RELEASE_HEADER = "x-data-release"
STORED_HEADERS = ("cache-control", "content-disposition", "content-encoding", "content-type")
"""Headers that object stores return themselves; others are metadata of an object."""


def object_name(url: str, coding: str) -> str:
    """The object of an address in a content coding, below the folder of the site.

    Exports have no content coding, so that they keep the ends of their names.
    """
    path = ROOT if url == "/" else url.removeprefix("/")
    return path if url.startswith(RANGES_PREFIX) else f"{path}.{coding}"


def metadata_name(header: str) -> str:
    """The name of an object's metadata for a header; Azure permits no hyphens."""
    return header.replace("-", "")


def shared_headers(rules: Rules) -> Mapping[str, str]:
    """Headers that do not depend on the release or the object."""
    return {name: value for name, value in rules.headers.items() if name != RELEASE_HEADER}


def metadata_headers(rules: Rules) -> Sequence[str]:
    """Names of the headers that are metadata of some object, sorted."""
    shared = shared_headers(rules)
    entries = (*rules.pages, *rules.items.values())
    names = {name for entry in entries for name in _own_headers(entry, shared)}
    return sorted(names.difference(STORED_HEADERS))


def describe_headers(rules: Rules) -> str:
    """Content of `headers.json`: the headers of pages and items, besides those of all responses."""
    shared = shared_headers(rules)
    document = {
        "release": rules.headers[RELEASE_HEADER],
        "shared": shared,
        "pages": {entry.url: _own_headers(entry, shared) for entry in rules.pages},
        "items": {name: _own_headers(entry, shared) for name, entry in rules.items.items()},
    }
    return json.dumps(document, indent=1) + "\n"


def cloudfront_policy(rules: Rules) -> str:
    """A response headers policy for CloudFront, as `create-response-headers-policy` takes it.

    It lets pages of every origin read errors, too, whose headers no function can set.
    """
    methods = rules.preflight_headers["access-control-allow-methods"].split(", ")
    exposed = rules.headers["access-control-expose-headers"].split(", ")
    cors = {
        "AccessControlAllowOrigins": _items(["*"]),
        "AccessControlAllowHeaders": _items(["*"]),
        "AccessControlAllowMethods": _items(methods),
        "AccessControlExposeHeaders": _items(exposed),
        "AccessControlAllowCredentials": False,
        "OriginOverride": True,
    }
    security = {"ContentTypeOptions": {"Override": True}}
    policy = {"Name": "cpc-record", "CorsConfig": cors, "SecurityHeadersConfig": security}
    return json.dumps(policy, indent=1) + "\n"


def _items(values: Sequence[str]) -> Mapping[str, object]:
    return {"Quantity": len(values), "Items": values}


def _own_headers(entry: Entry, shared: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in entry.headers if shared.get(name) != value}
