"""Requests that a client should not have sent: numbers, text, slashes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.torture.scenario import scenario
from tests.torture.stage import Server, Stage, hold
from tests.torture.wire import Reply

_NUMBERS = (
    "9223372036854775807", "9223372036854775808", "18446744073709551616", "-9223372036854775809",
    "9007199254740992", "9" * 400, "1_0", "5.0", "+5", "-1", "0x10", "1e3", "%205", "5%20",
    "%0A5", "05", "%D9%A3", "%EF%BC%95", "NaN", "Infinity", "", "true", "null", "1,2", "1%002",
)  # fmt: skip
_WHERE = ("/v1/awards?limit", "/v1/awards?amount__gte", "/v1/search?q=p&limit")
_TEXTS = (
    "%00", "a%00b", "%ff", "%fe%ff", "%c3%28", "%ed%a0%80", "%ed%bf%bf", "%f4%90%80%80",
    "%c0%80", "%e2%80%ae", "%ef%bf%be", "%0d%0aX-Evil:%201", "%1b[2J", "%f0%9f%92%a9",
    "%22", "%27", "%27%20OR%201=1--", "NEAR(a%20b)", "title:x", "*", "a*b", "^", "-", "{{7*7}}",
)  # fmt: skip
_PLACES = (
    "/v1/search?q={}", "/v1/awards?q={}", "/v1/awards?region={}", "/v1/awards/{}",
    "/v1/citations?field={}", "/v1/awards?cursor={}", "/v1/awards?{}=1", "/{}", "/problems/{}",
    "/v1/exports/{}", "/v1/awards?announced__gte={}",
)  # fmt: skip


@scenario("numbers", "odd integers, repeated, empty: 422 that names the parameter", quick=True)
def numbers(stage: Stage) -> str:
    """Ask with every odd number everywhere that a number is meant."""
    with stage.serving() as server:
        for place in _WHERE:
            name = place.split("?")[1].split("&")[-1]
            for number in _NUMBERS:
                _names(server.get(f"{place}={number}"), name, f"{place}={number}")
            _names(server.get(f"{place}=5&{name}=6"), name, "a repeated key")
            _names(server.get(f"{place}=5&{name}=5"), name, "a repeated key")
        server.answers()
    return f"{len(_WHERE) * (len(_NUMBERS) + 2)} requests"


def _names(reply: Reply, parameter: str, sent: str) -> None:
    hold(reply.status == 422, f"{sent}: {reply.status}")
    named = [error["parameter"] for error in problem(reply, sent)["errors"]]
    hold(named == [parameter], f"{sent}: names {named}")


@scenario(
    "texts", "bytes that are no text, operators and patterns: refused, or literal", quick=True
)
def texts(stage: Stage) -> str:
    """Ask with odd text everywhere that text is meant."""
    with stage.serving() as server:
        for place in _PLACES:
            for text in _TEXTS:
                target = place.replace("{}", text)
                reply = server.get(target)
                hold(200 <= reply.status < 500, f"{target}: {reply.status}")
                if reply.status >= 400:
                    problem(reply, target)
                hold(not reply.header("x-evil"), f"{target}: a forged header")
        for raw in (b"\xff", b"\x80abc", "é".encode(), b"\x7f", b"a\x00b"):
            reply = server.get(b"/v1/search?q=" + raw)
            hold(reply.status < 500, f"{raw!r}: {reply.status}")
        _literal(server)
        server.answers()
    return f"{len(_PLACES) * len(_TEXTS) + 9} requests"


def _literal(server: Server) -> None:
    """No pattern of SQL or of full text matches everything."""
    for text in ("%25", "_", "%25%25", "*", "%22%22"):
        for path in ("/v1/search", "/v1/awards"):
            reply = server.get(f"{path}?q={text}")
            total = json.loads(reply.body)["meta"]["total"] if reply.status == 200 else 0
            hold(total == 0, f"{path}?q={text} matches {total}")
    for text in ("%25", "_"):
        hold(server.get(f"/v1/awards?region={text}").status == 422, f"region={text} is taken")


@scenario("long", "60 KB of q, 70 KB of address, 1,000 parameters: 4xx", quick=True)
def long(stage: Stage) -> str:
    """Ask at length, then ask as usual."""
    letters = "".join(stage.chance.choices("abcdefgh ", k=60_000)).replace(" ", "%20")
    targets = {
        "60 KB of q": f"/v1/search?q={letters[:60_000]}",
        "60 KB of filter": f"/v1/awards?region={'a' * 60_000}",
        "60 KB of cursor": f"/v1/awards?cursor={'A' * 60_000}",
        "70 KB of path": f"/v1/awards/{'a' * 70_000}",
        "70 KB of query": f"/v1/awards?{'a' * 70_000}",
        "1 MB of address": f"/{'a' * 1_000_000}",
        "1,000 parameters": f"/v1/awards?{'&'.join(f'a{n}=1' for n in range(1_000))}",
        "3,000 separators": f"/v1/awards?{'&' * 3_000}",
        "2,000 slashes": "/" * 2_000,
        "2,000 dots": "/.." * 700,
    }
    with stage.serving() as server:
        told = []
        for name, target in targets.items():
            reply = server.get(target)
            told.append(f"{reply.status}")
            separators = name == "3,000 separators"
            hold(400 <= reply.status < 500 or separators, f"{name}: {reply.status}")
            hold(len(reply.body) < 200_000, f"{name}: {len(reply.body)} bytes of answer")
            server.answers()
    return f"{len(targets)} requests: {', '.join(told)}"


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


@scenario("errors", "every error is one shape, with CORS and security headers", quick=True)
def errors(stage: Stage) -> str:
    """Provoke every kind of error and look at all of it."""
    with stage.serving() as server:
        ready = server.get("/v1/meta")
        for target, status in _ERRORS.items():
            reply = server.get(target)
            hold(reply.status == status, f"{target}: {reply.status}, not {status}")
            problem(reply, target, ready)
        problem(server.get("/v1/awards", "Accept: image/png"), "Accept", ready)
    return f"{len(_ERRORS) + 1} errors"


_SAFE = ("x-content-type-options", "referrer-policy", "access-control-allow-origin", "vary")


def problem(reply: Reply, sent: str, like: Reply | None = None) -> dict[str, list[dict[str, str]]]:
    """The problem document of a refusal, which has each header that a success has for safety."""
    hold(reply.header("content-type") == "application/problem+json", f"{sent}: no problem")
    hold(reply.header("cache-control") == "no-store", f"{sent}: may be kept")
    hold("Traceback" not in reply.body.decode(), f"{sent}: a traceback")
    safe = set(_SAFE)
    if like is not None:
        security = ("content-security-policy", "strict-transport-security", "x-frame-options",
                    "cross-origin-resource-policy", "cross-origin-opener-policy",
                    "permissions-policy")  # fmt: skip
        safe |= {name for name in security if like.header(name)}
    missing = _missing(reply, sorted(safe))
    hold(not missing, f"{sent}: lacks {missing}")
    told: dict[str, list[dict[str, str]]] = json.loads(reply.body)
    hold(told["status"] == reply.status, f"{sent}: another status in the body")  # type: ignore[comparison-overlap]
    return told


def _missing(reply: Reply, names: Sequence[str]) -> list[str]:
    return [name for name in names if not reply.header(name)]
