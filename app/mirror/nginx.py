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
from app.problems import MEDIA_TYPE

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


def http_block(rules: Rules) -> str:
    """Variables that the server needs; they stand outside of it."""
    return "\n".join(
        [
            "# For the http block. Written by `cpc-record freeze`.",
            *_map(
                "$status",
                "$record_kept",
                dict.fromkeys(("200", "206", "304"), rules.kept),
                "no-store",
            ),
            *_map("$request_uri", "$record_instance", {f"~{INSTANCE_PATTERN}": "$1"}, "/"),
            *_map(
                '"$request_method:$http_if_range:$http_if_none_match:$http_range"',
                "$record_range",
                {"~^GET:::(.+)$": "$1"},
                "",
            ),
            *_map(
                "$request_method",
                "$record_allow",
                dict.fromkeys(METHODS, ""),
                rules.options["allow"],
            ),
            *(
                line
                for name, value in _preflight(rules)
                for line in _map("$request_method", _variable(name), {"OPTIONS": value}, "")
            ),
            "",
        ]
    )


def server_block(rules: Rules) -> str:
    """Everything of a server but where it listens and `root`, the folder of files."""
    pages = (line for entry in rules.pages for line in _page(entry, rules))
    return "\n".join(
        [
            "# For a server whose root is the folder of files. Written by `cpc-record freeze`.",
            "server_tokens off;",
            "merge_slashes off;",
            "gzip off;",
            "gzip_static on;",
            "max_ranges 0;",
            "if_modified_since off;",
            "open_file_cache max=10000 inactive=60s;",
            "open_file_cache_valid 10s;",
            "open_file_cache_errors on;",
            "types { }",
            f"default_type {MEDIA_TYPE};",
            *_errors(rules),
            *_added(rules, rules.headers),
            "if ($request_method = OPTIONS) { return 204; }",
            f"if ($record_allow) {_answer(405, 'method')}",
            f"if ($args != '') {_answer(422, 'query')}",
            f"location / {_answer(404, 'not found')}",
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


def _preflight(rules: Rules) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, value in rules.options.items() if name != "allow")


def _variable(header: str) -> str:
    return f"$record_{header.replace('-', '_')}"


def _added(rules: Rules, headers: Headers) -> Iterator[str]:
    """Headers; a location that adds one has to add all."""
    yield 'add_header Last-Modified "";'
    yield "add_header Allow $record_allow always;"
    for name, _ in _preflight(rules):
        yield f"add_header {name} {_variable(name)} always;"
    for name, value in {"cache-control": rules.kept, **headers}.items():
        written = "$record_kept" if (name, value) == ("cache-control", rules.kept) else value
        yield f"add_header {name} {quoted(written)} always;"


_MISHAPS = {
    "bad": (400, "bad request", (400,)),
    "missing": (404, "not found", (403, 404)),
    "method": (405, "method", (405,)),
    "precondition": (412, "precondition", (412,)),
    "range": (416, "range", (416,)),
    "failure": (500, "failure", (500, 503)),
}


def _errors(rules: Rules) -> Iterator[str]:
    """What nginx itself finds wrong, as problem documents."""
    for name, (status, what, found) in _MISHAPS.items():
        yield f"error_page {' '.join(map(str, found))} @{name};"
        if status != 416:
            yield f"location @{name} {_answer(status, what)}"
    ranged = {**rules.headers, "content-range": "bytes */$record_length"}
    yield "location @range {"
    yield from (f"    {line}" for line in _added(rules, ranged))
    yield f"    {_answer(416, 'range')[2:-2]}"
    yield "}"


def _answer(status: int, what: str) -> str:
    return f"{{ return {status} '{PROBLEMS[what].replace(INSTANCE, '$record_instance')}'; }}"


def _page(entry: Entry, rules: Rules) -> Iterator[str]:
    yield f"location = {entry.url} {{"
    yield from _file(entry, rules)
    if entry.url.startswith(RANGED):
        yield "    max_ranges 1;"
        yield f"    set $record_length {entry.plain.bytes};"
        yield f'    if ($record_range ~ "{beyond(entry.plain.bytes)}") {{ return 416; }}'
    yield f"    try_files /{entry.plain.file} =404;"
    yield "}"


def _items(rules: Rules) -> Iterator[str]:
    """One location for all collections whose items are told of alike."""
    alike: dict[tuple[object, ...], list[str]] = {}
    for collection, entry in rules.items.items():
        alike.setdefault((entry.media_type, entry.headers), []).append(collection)
    for collections in alike.values():
        yield f'location ~ "^/v1/({"|".join(collections)})/([^/]+)$" {{'
        yield from _file(rules.items[collections[0]], rules)
        yield "    try_files /v1/$1/$2.json =404;"
        yield "}"


def _file(entry: Entry, rules: Rules) -> Iterator[str]:
    yield f"    default_type {quoted(entry.media_type)};"
    if rules.besides(entry):
        yield from (f"    {line}" for line in _added(rules, dict(entry.headers)))
