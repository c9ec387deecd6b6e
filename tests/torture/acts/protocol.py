"""HTTP that is wrong or hostile: sizes, hosts, framing; and the next request is answered."""

from __future__ import annotations

from collections.abc import Iterator

from tests.torture.scenario import scenario
from tests.torture.stage import Stage, hold
from tests.torture.wire import Reply, exchange, send

_LINE = b"GET /v1/meta HTTP/1.1\r\n"
_HOST = b"Host: record.test\r\n"
_CLOSE = b"Connection: close\r\n"


def _plain(*lines: bytes) -> bytes:
    return b"".join([_LINE, *(line + b"\r\n" for line in lines), _CLOSE, b"\r\n"])


def _sizes() -> Iterator[tuple[str, bytes, set[int]]]:
    """Requests that are too large, and what may answer them."""
    large = b"X-Large: " + b"a" * 1_000_000
    many = [b"X-%d: 1" % number for number in range(10_000)]
    yield "a header of 1 MB", _plain(_HOST.strip(), large), {400, 431}
    yield "10,000 headers", _plain(_HOST.strip(), *many), {400, 431}
    yield "a name of 1 MB", _plain(_HOST.strip(), b"X" * 1_000_000 + b": 1"), {400, 431}
    long = b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + _HOST + _CLOSE + b"\r\n"
    yield "an address of 70 KB", long, {400, 414}
    method = b"G" * 100_000 + b" / HTTP/1.1\r\n" + _HOST + b"\r\n"
    yield "a method of 100 KB", method, {400, 405}


@scenario("sizes", "1 MB headers, 10,000 headers, 70 KB addresses: 400, 414 or 431", quick=True)
def sizes(stage: Stage) -> str:
    """Send too much, and ask as usual after each."""
    told = []
    with stage.serving() as server:
        for name, payload, allowed in _sizes():
            reply = send(server.port, payload, 20)
            hold(reply.status in allowed, f"{name}: {reply.status}")
            told.append(f"{name} {reply.status}")
            server.answers()
    return "; ".join(told)


@scenario("hosts", "two Hosts, no Host, odd Hosts: 400; nothing ever redirects", quick=True)
def hosts(stage: Stage) -> str:
    """Name other hosts in every way; no answer depends on them."""
    with stage.serving() as server:
        for name, lines in {
            "two Hosts": (b"Host: a.test", b"Host: b.test"),
            "two equal Hosts": (b"Host: a.test", b"Host: a.test"),
            "no Host": (),
            "a Host with a path": (b"Host: a.test/x",),
            "a Host with a space": (b"Host: a b",),
            "a Host with credentials": (b"Host: user@a.test",),
        }.items():
            reply = send(server.port, _plain(*lines), 20)
            hold(reply.status == 400, f"{name}: {reply.status}")
            server.answers()
        evil = (b"evil.test", b"evil.test:99", b"[::1]")
        for host in evil:
            for path in (b"//", b"/v1/awards/", b"//evil.test/..", b"/docs/", b"/\\evil.test"):
                line = b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + _CLOSE + b"\r\n"
                reply = send(server.port, line, 20)
                hold(reply.status in (400, 404), f"{path!r}: {reply.status}")
                hold(not reply.header("location"), f"{path!r} redirects")
                hold(b"evil.test:99" not in reply.body, f"{path!r} tells the Host")
    return f"6 wrong Hosts refused, {len(evil) * 5} slashes without a redirect"


_SMUGGLED = b"GET /v1/meta HTTP/1.1\r\nHost: record.test\r\nConnection: close\r\n\r\n"


def _framing() -> dict[str, bytes]:
    """Bodies whose end is told in two ways, or in a wrong one."""
    post = b"POST /v1/meta HTTP/1.1\r\n" + _HOST
    got = _LINE + _HOST
    return {
        "TE with CL": post
        + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"
        + _SMUGGLED,
        "CL with TE": got
        + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG"
        + _SMUGGLED,
        "two CLs": post + b"Content-Length: 0\r\nContent-Length: 71\r\n\r\n" + _SMUGGLED,
        "two equal CLs": post + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + _SMUGGLED,
        "a CL of +0": post + b"Content-Length: +0\r\n\r\n" + _SMUGGLED,
        "a negative CL": post + b"Content-Length: -1\r\n\r\n" + _SMUGGLED,
        "a CL of 2^64": post + b"Content-Length: 18446744073709551616\r\n\r\n" + _SMUGGLED,
        "TE twice": post
        + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"
        + _SMUGGLED,
        "an unknown TE": post + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + _SMUGGLED,
        "TE with a space": post + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + _SMUGGLED,
        "a wrong chunk": post + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n" + _SMUGGLED,
        "a folded header": got + b"X-Folded: a\r\n b\r\n\r\n" + _SMUGGLED,
        "a bare CR": got + b"X-Bare: a\rb\r\n\r\n" + _SMUGGLED,
        "a NUL": got + b"X-Nul: a\x00b\r\n\r\n" + _SMUGGLED,
        "no version": b"GET /v1/meta\r\n\r\n" + _SMUGGLED,
        "a wrong version": b"GET /v1/meta HTTP/9.9\r\n" + _HOST + b"\r\n" + _SMUGGLED,
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _SMUGGLED,
    }


@scenario("framing", "TE with CL and the like: refused, nothing after it is run", quick=True)
def framing(stage: Stage) -> str:
    """Hide a request in another's body; it is refused and the connection closed."""
    strict = ("TE with CL", "CL with TE", "two CLs", "TE twice", "an unknown TE", "a wrong chunk")
    with stage.serving() as server:
        for name, payload in _framing().items():
            replies = exchange(server.port, payload, 30)
            hold(all(reply.status >= 0 for reply in replies), f"{name}: no HTTP in the answer")
            hold(all(reply.status < 500 for reply in replies), f"{name}: {_statuses(replies)}")
            if name in strict:
                smuggled = any(reply.status == 200 for reply in replies)
                hold(not smuggled, f"{name}: the hidden request is run: {_statuses(replies)}")
            server.answers()
    return f"{len(_framing())} ways; {len(strict)} of them must end the connection"


def _statuses(replies: list[Reply]) -> list[int]:
    return [reply.status for reply in replies]


@scenario(
    "methods", "bodies, upgrades, tunnels and unknown methods: 4xx, answered next", quick=True
)
def methods(stage: Stage) -> str:
    """Ask for what an HTTP server might do beside answering."""
    requests = {
        b"CONNECT evil.test:443 HTTP/1.1": {400, 404, 405},
        b"TRACE /v1/meta HTTP/1.1": {400, 405},
        b"POST /v1/meta HTTP/1.1": {405},
        b"DELETE /v1/awards/peru-ilo HTTP/1.1": {405},
        b"FROBNICATE / HTTP/1.1": {400, 405},
        b"GET http://evil.test/v1/meta HTTP/1.1": {200, 400, 404},
        b"OPTIONS * HTTP/1.1": {204, 400, 404},
    }
    with stage.serving() as server:
        for line, allowed in requests.items():
            reply = send(server.port, line + b"\r\n" + _HOST + _CLOSE + b"\r\n", 20)
            hold(reply.status in allowed, f"{line!r}: {reply.status}")
            server.answers()
        upgrade = [b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"]
        reply = send(server.port, _plain(_HOST.strip(), *upgrade), 20)
        hold(reply.status in (200, 400), f"an upgrade: {reply.status}")
        body = b"x" * 5_000_000
        length = b"Content-Length: %d\r\n" % len(body)
        post = b"POST /v1/meta HTTP/1.1\r\n" + _HOST + length + _CLOSE + b"\r\n" + body
        reply = send(server.port, post, 20)
        hold(reply.status in (405, 413), f"5 MB of body: {reply.status}")
        server.answers()
    return f"{len(requests) + 2} requests"
