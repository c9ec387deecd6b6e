"""How Caddy serves a mirror."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.mirror.entries import Entry
from app.mirror.rules import (
    INSTANCE,
    INSTANCE_PATTERN,
    METHODS,
    PROBLEMS,
    RANGED,
    Rules,
    beyond,
    quoted,
)
from app.responses.problems import MEDIA_TYPE

WHOLE = """\
# A site for Caddy: caddy run --config Caddyfile. Written by `cpc-record freeze`.
# SITE_ADDRESS says where it listens, MIRROR where the mirror is.
{
	admin off
}
{$SITE_ADDRESS::8080} {
	root * {$MIRROR:/srv/mirror}/files
	import caddy/site.caddy
}
"""


def site(rules: Rules) -> str:
    """Everything of a site but its address and `root`, the folder of files."""
    return "\n".join(
        [
            "# For a site whose root is the folder of files. Written by `cpc-record freeze`.",
            *_headers(rules),
            *_table(rules),
            "map {http.request.uri} {record_instance} {",
            f'\t"~{INSTANCE_PATTERN}.*$" "${{1}}"',
            '\tdefault "/"',
            "}",
            *_refusals(rules),
            *_served(rules),
            "handle {",
            "\terror 404",
            "}",
            "handle_errors {",
            "\theader -Server",
            "\t@missing expression {http.error.status_code} in [403, 404]",
            "\thandle @missing {",
            *_answer(404, "not found", 2),
            "\t}",
            "\t@bad expression {http.error.status_code} == 400",
            "\thandle @bad {",
            *_answer(400, "bad request", 2),
            "\t}",
            "\thandle {",
            *_answer(500, "failure", 2),
            "\t}",
            "}",
            "",
        ]
    )


def _headers(rules: Rules) -> Iterator[str]:
    """Headers of every answer; what only the application's own answers heed is dropped."""
    yield "header {"
    for name, value in rules.headers.items():
        yield f"\t{name} {quoted(value)}"
    yield "}"
    yield "header -Last-Modified"
    yield "header -Server"
    for name in ("If-Match", "If-Modified-Since", "If-Unmodified-Since"):
        yield f"request_header -{name}"


def _table(rules: Rules) -> Iterator[str]:
    """File and media type of every path; unlike matchers, a map minds large and small letters."""
    yield "map {http.request.uri.path} {record_file} {record_type} {"
    for entry in rules.pages:
        yield f"\t{entry.url} /{entry.plain.file} {quoted(entry.media_type)}"
    for collection, entry in rules.items.items():
        pattern = f"~^(/v1/{collection}/[^/]+)$"
        yield f'\t"{pattern}" "${{1}}.json" {quoted(entry.media_type)}'
    yield '\tdefault "" ""'
    yield "}"


def _refusals(rules: Rules) -> Iterator[str]:
    yield "@options method OPTIONS"
    yield "handle @options {"
    yield "\theader Cache-Control no-store"
    for name, value in rules.options.items():
        yield f"\theader {name} {quoted(value)}"
    yield "\trespond 204"
    yield "}"
    yield f"@method not method {' '.join(METHODS)}"
    yield "handle @method {"
    yield f"\theader Allow {quoted(rules.options['allow'])}"
    yield from _answer(405, "method")
    yield "}"
    yield '@query expression {http.request.uri.query} != ""'
    yield "handle @query {"
    yield from _answer(422, "query")
    yield "}"


def _served(rules: Rules) -> Iterator[str]:
    for number, entry in enumerate(one for one in rules.pages if one.url.startswith(RANGED)):
        yield from _ranged(entry, rules, number)
    for number, entry in enumerate(rules.pages):
        if (extra_headers := rules.extra_headers(entry)) and not entry.url.startswith(RANGED):
            yield f"@own{number} expression {{record_file}} == '/{entry.plain.file}'"
            yield f"header @own{number} {{"
            yield from (f"\t{one}" for one in _differing(extra_headers))
            yield "\tdefer"  # or what every answer says would take its place
            yield "}"
    yield "@mirrored expression {record_file} != ''"
    yield "handle @mirrored {"
    yield "\trequest_header -Range"
    yield "\theader -Accept-Ranges"
    yield from _file(rules.kept)
    yield "}"


def _differing(extra_headers: Mapping[str, str | None]) -> Iterator[str]:
    for name, value in extra_headers.items():
        yield f"-{name}" if value is None else f"{name} {quoted(value)}"


def _ranged(entry: Entry, rules: Rules, number: int) -> Iterator[str]:
    """A file that comes in ranges; one that begins after its end is told as a problem."""
    yield f"@ranged{number} expression {{record_file}} == '/{entry.plain.file}'"
    yield f"handle @ranged{number} {{"
    yield from (f"\theader {one}" for one in _differing(rules.extra_headers(entry)))
    yield "\t@beyond {"
    yield "\t\tmethod GET"
    yield "\t\theader !If-Range"
    yield "\t\theader !If-None-Match"
    yield f"\t\theader_regexp Range {quoted(beyond(entry.plain.bytes))}"
    yield "\t}"
    yield "\thandle @beyond {"
    yield f'\t\theader Content-Range "bytes */{entry.plain.bytes}"'
    yield from _answer(416, "range", 2)
    yield "\t}"
    yield "\thandle {"
    yield from (f"\t{line}" for line in _file(rules.kept))
    yield "\t}"
    yield "}"


def _file(kept: str) -> Iterator[str]:
    yield "\trewrite * {record_file}"
    yield "\theader Content-Type {record_type}"
    yield f"\theader Cache-Control {quoted(kept)}"
    yield "\tfile_server {"
    yield "\t\tprecompressed zstd br gzip"
    yield "\t\tdisable_canonical_uris"
    yield "\t}"


def _answer(status: int, what: str, depth: int = 1) -> Iterator[str]:
    body = PROBLEMS[what].replace("{", "\\{").replace("}", "\\}")
    indent = "\t" * depth
    yield f"{indent}header Content-Type {MEDIA_TYPE}"
    yield f"{indent}header Cache-Control no-store"
    yield f"{indent}respond `{body.replace(INSTANCE, '{record_instance}')}` {status}"
