"""Invalid requests: numbers, text, lengths and paths."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.torture.context import ScenarioContext, Server, check
from tests.torture.raw_http import Response
from tests.torture.scenario import scenario

_NUMBERS = (
    "9223372036854775807", "9223372036854775808", "18446744073709551616", "-9223372036854775809",
    "9007199254740992", "9" * 400, "1_0", "5.0", "+5", "-1", "0x10", "1e3", "%205", "5%20",
    "%0A5", "05", "%D9%A3", "%EF%BC%95", "NaN", "Infinity", "", "true", "null", "1,2", "1%002",
)  # fmt: skip
_NUMBER_PARAMETERS = ("/v1/awards?limit", "/v1/awards?amount__gte", "/v1/search?q=p&limit")
_TEXTS = (
    "%00", "a%00b", "%ff", "%fe%ff", "%c3%28", "%ed%a0%80", "%ed%bf%bf", "%f4%90%80%80",
    "%c0%80", "%e2%80%ae", "%ef%bf%be", "%0d%0aX-Evil:%201", "%1b[2J", "%f0%9f%92%a9",
    "%22", "%27", "%27%20OR%201=1--", "NEAR(a%20b)", "title:x", "*", "a*b", "^", "-", "{{7*7}}",
)  # fmt: skip
_TEXT_TARGETS = (
    "/v1/search?q={}", "/v1/awards?q={}", "/v1/awards?region={}", "/v1/awards/{}",
    "/v1/citations?field={}", "/v1/awards?cursor={}", "/v1/awards?{}=1", "/{}", "/problems/{}",
    "/v1/exports/{}", "/v1/awards?announced__gte={}",
)  # fmt: skip


@scenario(
    "invalid-numbers",
    "invalid, repeated or empty integers: 422 that names the parameter",
    quick=True,
)
def invalid_numbers(context: ScenarioContext) -> str:
    """Send each invalid number in each numeric parameter."""
    with context.serve() as server:
        for target in _NUMBER_PARAMETERS:
            name = target.split("?")[1].split("&")[-1]
            for number in _NUMBERS:
                _check_rejected(server.get(f"{target}={number}"), name, f"{target}={number}")
            _check_rejected(server.get(f"{target}=5&{name}=6"), name, "a repeated key")
            _check_rejected(server.get(f"{target}=5&{name}=5"), name, "a repeated key")
        server.check_alive()
    return f"{len(_NUMBER_PARAMETERS) * (len(_NUMBERS) + 2)} requests"


def _check_rejected(response: Response, parameter: str, sent: str) -> None:
    check(response.status == 422, f"{sent}: {response.status}")
    parameters = [error["parameter"] for error in check_problem(response, sent)["errors"]]
    check(parameters == [parameter], f"{sent}: names {parameters}")


@scenario(
    "invalid-text",
    "invalid UTF-8, operators and patterns: rejected or taken literally",
    quick=True,
)
def invalid_text(context: ScenarioContext) -> str:
    """Send each unusual text in each path and text parameter."""
    with context.serve() as server:
        for template in _TEXT_TARGETS:
            for text in _TEXTS:
                target = template.replace("{}", text)
                response = server.get(target)
                check(200 <= response.status < 500, f"{target}: {response.status}")
                if response.status >= 400:
                    check_problem(response, target)
                check(not response.header("x-evil"), f"{target}: header injection")
        for raw in (b"\xff", b"\x80abc", "é".encode(), b"\x7f", b"a\x00b"):
            response = server.get(b"/v1/search?q=" + raw)
            check(response.status < 500, f"{raw!r}: {response.status}")
        _check_literal(server)
        server.check_alive()
    return f"{len(_TEXT_TARGETS) * len(_TEXTS) + 9} requests"


def _check_literal(server: Server) -> None:
    """Check that SQL and full-text patterns do not match everything."""
    for text in ("%25", "_", "%25%25", "*", "%22%22"):
        for path in ("/v1/search", "/v1/awards"):
            response = server.get(f"{path}?q={text}")
            total = json.loads(response.body)["meta"]["total"] if response.status == 200 else 0
            check(total == 0, f"{path}?q={text} matches {total}")
    for text in ("%25", "_"):
        check(server.get(f"/v1/awards?region={text}").status == 422, f"region={text} is accepted")


@scenario("long-requests", "60 KB of parameter, 70 KB of URL, 1,000 parameters: 4xx", quick=True)
def long_requests(context: ScenarioContext) -> str:
    """Send each long request, then a normal one."""
    letters = "".join(context.rng.choices("abcdefgh ", k=60_000)).replace(" ", "%20")
    targets = {
        "60 KB of q": f"/v1/search?q={letters[:60_000]}",
        "60 KB of filter": f"/v1/awards?region={'a' * 60_000}",
        "60 KB of cursor": f"/v1/awards?cursor={'A' * 60_000}",
        "70 KB of path": f"/v1/awards/{'a' * 70_000}",
        "70 KB of query": f"/v1/awards?{'a' * 70_000}",
        "1 MB of URL": f"/{'a' * 1_000_000}",
        "1,000 parameters": f"/v1/awards?{'&'.join(f'a{n}=1' for n in range(1_000))}",
        "3,000 separators": f"/v1/awards?{'&' * 3_000}",
        "2,000 slashes": "/" * 2_000,
        "2,000 dots": "/.." * 700,
    }
    with context.serve() as server:
        statuses = []
        for name, target in targets.items():
            response = server.get(target)
            statuses.append(f"{response.status}")
            separators = name == "3,000 separators"
            check(400 <= response.status < 500 or separators, f"{name}: {response.status}")
            check(len(response.body) < 200_000, f"{name}: {len(response.body)} bytes of response")
            server.check_alive()
    return f"{len(targets)} requests: {', '.join(statuses)}"


_ERRORS = {
    "/nowhere": 404,
    "/v1/awards/": 404,
    "/v1/awards/none": 404,
    "/v1/awards?x=1": 422,
    "/v1/awards?format=xml": 422,
    "/v1/search": 422,
    "/problems/none": 404,
    "/v1/exports/none": 404,
    "/docs/": 404,
    "/%2e%2e/%2e%2e/etc/passwd": 404,
}


@scenario(
    "error-format",
    "all errors are problem documents with CORS and security headers",
    quick=True,
)
def error_format(context: ScenarioContext) -> str:
    """Provoke each kind of error and check its headers and body."""
    with context.serve() as server:
        success = server.get("/v1/meta")
        for target, status in _ERRORS.items():
            response = server.get(target)
            check(response.status == status, f"{target}: {response.status}, not {status}")
            check_problem(response, target, success)
            check_page(server.get(target, "Accept: text/html, */*;q=0.8"), target, status)
        check_problem(server.get("/v1/awards", "Accept: image/png"), "Accept", success)
    return f"{len(_ERRORS) + 1} errors"


_REQUIRED_HEADERS = (
    "x-content-type-options",
    "referrer-policy",
    "access-control-allow-origin",
    "vary",
)


def check_problem(
    response: Response, sent: str, success: Response | None = None
) -> dict[str, list[dict[str, str]]]:
    """The problem document of an error response, after checking its headers.

    It must have all security headers that the successful response has.
    """
    check(
        response.header("content-type") == "application/problem+json",
        f"{sent}: not a problem document",
    )
    check(response.header("cache-control") == "no-store", f"{sent}: cacheable")
    check("Traceback" not in response.body.decode(), f"{sent}: a traceback")
    required = set(_REQUIRED_HEADERS)
    if success is not None:
        security = ("content-security-policy", "strict-transport-security", "x-frame-options",
                    "cross-origin-resource-policy", "cross-origin-opener-policy",
                    "permissions-policy")  # fmt: skip
        required |= {name for name in security if success.header(name)}
    missing = _missing_headers(response, sorted(required))
    check(not missing, f"{sent}: missing headers {missing}")
    document: dict[str, list[dict[str, str]]] = json.loads(response.body)
    check(document["status"] == response.status, f"{sent}: different status in the body")  # type: ignore[comparison-overlap]
    return document


def check_page(response: Response, sent: str, status: int) -> None:
    """Check that a browser gets an error as a page."""
    check(response.status == status, f"{sent}: {response.status}, not {status}, for a browser")
    check(response.header("content-type") == "text/html; charset=utf-8", f"{sent}: not a page")
    check(response.header("cache-control") == "no-store", f"{sent}: a cacheable page")
    check("Traceback" not in response.body.decode(), f"{sent}: a traceback on a page")
    missing = _missing_headers(response, (*_REQUIRED_HEADERS, "content-security-policy"))
    check(not missing, f"{sent}: a page misses headers {missing}")


def _missing_headers(response: Response, names: Sequence[str]) -> list[str]:
    return [name for name in names if not response.header(name)]
