"""How nginx serves a mirror: what goes into its `http` block, and what into a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.mirror.entries import Entry
from app.mirror.rules import (
    INSTANCE,
    INSTANCE_PATTERN,
    METHODS,
    PROBLEMS,
    RANGED,
    Headers,
    Rules,
    beyond,
    quoted,
)
from app.responses.problems import MEDIA_TYPE

WHOLE = """\
# A site for nginx: copy it into conf.d, or use it as a model. Written by `cpc-record freeze`.
# The mirror is expected in /srv/mirror; elsewhere, change the three paths.
include /srv/mirror/nginx/http.conf;
server {
    listen 8080;
    root /srv/mirror/files;
    include /srv/mirror/nginx/server.conf;
}
"""


def http_block() -> str:
    """Variables that the server needs; they stand outside of it."""
    return "\n".join(
        [
            "# For the http block. Written by `cpc-record freeze`.",
            *_map("$request_uri", "$record_instance", {f"~{INSTANCE_PATTERN}": "$1"}, "/"),
            *_map(
                '"$request_method:$http_if_range:$http_if_none_match:$http_range"',
                "$record_range",
                {"~^GET:::(.+)$": "$1"},
                "",
            ),
            *_map("$request_method", "$record_refused", dict.fromkeys(METHODS, ""), "1"),
            "",
        ]
    )


def server_block(rules: Rules) -> str:
    """Everything of a server but where it listens and `root`, the folder of files.

    Most files are small: reading one and writing it after its head takes fewer calls than sendfile.
    """
    pages = (line for entry in rules.pages for line in _page(entry, rules))
    return "\n".join(
        [
            "# For a server whose root is the folder of files. Written by `cpc-record freeze`.",
            "server_tokens off;",
            "merge_slashes off;",
            "sendfile off;",
            "gzip off;",
            "gzip_static on;",
            "max_ranges 0;",
            "if_modified_since off;",
            "open_file_cache max=10000 inactive=60s;",
            "open_file_cache_valid 10s;",
            "open_file_cache_errors on;",
            "types { }",
            f"default_type {MEDIA_TYPE};",
            *_added({"cache-control": rules.kept, **rules.headers}),
            *_errors(rules),
            f"if ($request_method = OPTIONS) {{ return {_PREFLIGHT}; }}",
            "if ($record_refused) { return 405; }",
            "if ($args != '') { return 422; }",
            "location / { return 404; }",
            *pages,
            *_items(rules),
            "",
        ]
    )


def _map(source: str, target: str, cases: dict[str, str], default: str) -> Iterator[str]:
    yield f"map {source} {target} {{"
    yield f"    default {quoted(default)};"
    for case, value in cases.items():
        yield f"    {quoted(case)} {quoted(value)};"
    yield "}"


def _added(headers: Headers) -> Iterator[str]:
    """Headers; a location that adds one has to add all."""
    yield 'add_header Last-Modified "";'
    for name, value in headers.items():
        yield f"add_header {name} {quoted(value)} always;"


_PREFLIGHT = 418
"""Stands for OPTIONS within the configuration; it is answered 204."""
_ERROR_PAGES = {
    "bad": (400, "bad request", (400,)),
    "missing": (404, "not found", (403, 404)),
    "method": (405, "method", (405,)),
    "precondition": (412, "precondition", (412,)),
    "range": (416, "range", (416,)),
    "query": (422, "query", (422,)),
    "failure": (500, "failure", (500, 503)),
}


def _errors(rules: Rules) -> Iterator[str]:
    """What nginx itself finds wrong, as problem documents; and the answer to OPTIONS."""
    allow = rules.options["allow"]
    extra_headers = {
        "method": {"allow": allow},
        "range": {"content-range": "bytes */$record_length"},
    }
    for name, (status, what, found) in _ERROR_PAGES.items():
        problem = PROBLEMS[what].replace(INSTANCE, "$record_instance")
        answer = f"return {status} '{problem}';"
        headers = {"cache-control": "no-store", **rules.headers, **extra_headers.get(name, {})}
        yield f"error_page {' '.join(map(str, found))} @{name};"
        yield from _location(f"@{name}", [*_added(headers), answer])
    yield f"error_page {_PREFLIGHT} = @options;"
    headers = {"cache-control": "no-store", **rules.headers, **rules.options}
    yield from _location("@options", [*_added(headers), "return 204;"])


def _location(matched: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"location {matched} {{"
    yield from (f"    {line}" for line in lines)
    yield "}"


def _page(entry: Entry, rules: Rules) -> Iterator[str]:
    lines = [*_file(entry, rules)]
    if entry.url.startswith(RANGED):
        lines += [
            "max_ranges 1;",
            f"set $record_length {entry.plain.bytes};",
            f'if ($record_range ~ "{beyond(entry.plain.bytes)}") {{ return 416; }}',
        ]
    lines.append(f"try_files /{entry.plain.file} =404;")
    yield from _location(f"= {entry.url}", lines)


def _items(rules: Rules) -> Iterator[str]:
    """One location for all collections whose items are told of alike."""
    alike: dict[tuple[object, ...], list[str]] = {}
    for collection, entry in rules.items.items():
        alike.setdefault((entry.media_type, entry.headers), []).append(collection)
    for collections in alike.values():
        lines = [*_file(rules.items[collections[0]], rules), "try_files /v1/$1/$2.json =404;"]
        yield from _location(f'~ "^/v1/({"|".join(collections)})/([^/]+)$"', lines)


def _file(entry: Entry, rules: Rules) -> Iterator[str]:
    yield f"default_type {quoted(entry.media_type)};"
    if rules.extra_headers(entry):
        yield from _added(dict(entry.headers))
