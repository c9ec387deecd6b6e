"""Invalid or hostile HTTP: sizes, hosts, framing. The next request must still be served."""

from __future__ import annotations

from collections.abc import Iterator

from tests.torture.context import ScenarioContext, check
from tests.torture.raw_http import exchange, send
from tests.torture.scenario import scenario

_REQUEST_LINE = b"GET /v1/meta HTTP/1.1\r\n"
_HOST_HEADER = b"Host: record.test\r\n"
_CLOSE_HEADER = b"Connection: close\r\n"


def _get_request(*lines: bytes) -> bytes:
    return b"".join([_REQUEST_LINE, *(line + b"\r\n" for line in lines), _CLOSE_HEADER, b"\r\n"])


def _oversized_requests() -> Iterator[tuple[str, bytes, set[int]]]:
    """Names of oversized requests, the requests, and the statuses they may get."""
    large = b"X-Large: " + b"a" * 1_000_000
    many = [b"X-%d: 1" % number for number in range(10_000)]
    yield "a header of 1 MB", _get_request(_HOST_HEADER.strip(), large), {400, 431}
    yield "10,000 headers", _get_request(_HOST_HEADER.strip(), *many), {400, 431}
    yield (
        "a name of 1 MB",
        _get_request(_HOST_HEADER.strip(), b"X" * 1_000_000 + b": 1"),
        {400, 431},
    )
    long = b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + _HOST_HEADER + _CLOSE_HEADER + b"\r\n"
    yield "a URL of 70 KB", long, {400, 414}
    method = b"G" * 100_000 + b" / HTTP/1.1\r\n" + _HOST_HEADER + b"\r\n"
    yield "a method of 100 KB", method, {400, 405}


@scenario(
    "oversized-requests",
    "1 MB headers, 10,000 headers, 70 KB URLs: 400, 414 or 431",
    quick=True,
)
def oversized_requests(context: ScenarioContext) -> str:
    """Send each oversized request, then a normal one."""
    results = []
    with context.serve() as server:
        for name, payload, allowed in _oversized_requests():
            response = send(server.port, payload, 20)
            check(response.status in allowed, f"{name}: {response.status}")
            results.append(f"{name} {response.status}")
            server.check_alive()
    return "; ".join(results)


@scenario("host-headers", "two, missing or invalid Hosts: 400; no redirects", quick=True)
def host_headers(context: ScenarioContext) -> str:
    """Send invalid and foreign `Host` headers. No response depends on them."""
    with context.serve() as server:
        for name, lines in {
            "two Hosts": (b"Host: a.test", b"Host: b.test"),
            "two equal Hosts": (b"Host: a.test", b"Host: a.test"),
            "no Host": (),
            "a Host with a path": (b"Host: a.test/x",),
            "a Host with a space": (b"Host: a b",),
            "a Host with credentials": (b"Host: user@a.test",),
        }.items():
            response = send(server.port, _get_request(*lines), 20)
            check(response.status == 400, f"{name}: {response.status}")
            server.check_alive()
        foreign = (b"evil.test", b"evil.test:99", b"[::1]")
        for host in foreign:
            for path in (b"//", b"/v1/awards/", b"//evil.test/..", b"/docs/", b"/\\evil.test"):
                head = b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n"
                response = send(server.port, head + _CLOSE_HEADER + b"\r\n", 20)
                check(response.status in (400, 404), f"{path!r}: {response.status}")
                check(not response.header("location"), f"{path!r} redirects")
                check(b"evil.test:99" not in response.body, f"{path!r} reveals the Host")
    return f"6 invalid Hosts rejected, {len(foreign) * 5} paths without a redirect"


_SMUGGLED = b"GET /v1/meta HTTP/1.1\r\nHost: record.test\r\nConnection: close\r\n\r\n"


def _framing() -> dict[str, bytes]:
    """Requests with ambiguous or invalid framing, followed by a smuggled request."""
    post = b"POST /v1/meta HTTP/1.1\r\n" + _HOST_HEADER
    get = _REQUEST_LINE + _HOST_HEADER
    return {
        "TE with CL": post
        + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"
        + _SMUGGLED,
        "CL with TE": get
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
        "an invalid chunk": post + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n" + _SMUGGLED,
        "a folded header": get + b"X-Folded: a\r\n b\r\n\r\n" + _SMUGGLED,
        "a bare CR": get + b"X-Bare: a\rb\r\n\r\n" + _SMUGGLED,
        "a NUL": get + b"X-Nul: a\x00b\r\n\r\n" + _SMUGGLED,
        "no version": b"GET /v1/meta\r\n\r\n" + _SMUGGLED,
        "an invalid version": b"GET /v1/meta HTTP/9.9\r\n" + _HOST_HEADER + b"\r\n" + _SMUGGLED,
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _SMUGGLED,
    }


@scenario(
    "request-smuggling",
    "ambiguous framing such as TE with CL: rejected, smuggled requests ignored",
    quick=True,
)
def request_smuggling(context: ScenarioContext) -> str:
    """Hide a request in the body of another. It is rejected and the connection is closed."""
    strict = (
        "TE with CL",
        "CL with TE",
        "two CLs",
        "TE twice",
        "an unknown TE",
        "an invalid chunk",
    )
    with context.serve() as server:
        for name, payload in _framing().items():
            responses = exchange(server.port, payload, 30)
            statuses = [response.status for response in responses]
            check(all(status >= 0 for status in statuses), f"{name}: not HTTP")
            check(all(status < 500 for status in statuses), f"{name}: {statuses}")
            if name in strict:
                check(200 not in statuses, f"{name}: smuggled request served: {statuses}")
            server.check_alive()
    return f"{len(_framing())} requests; {len(strict)} of them must close the connection"


@scenario(
    "http-methods",
    "bodies, upgrades, tunnels and unknown methods: 4xx, and the next request is served",
    quick=True,
)
def http_methods(context: ScenarioContext) -> str:
    """Send methods and features that the server does not support."""
    requests = {
        b"CONNECT evil.test:443 HTTP/1.1": {400, 404, 405},
        b"TRACE /v1/meta HTTP/1.1": {400, 405},
        b"POST /v1/meta HTTP/1.1": {405},
        b"DELETE /v1/awards/peru-ilo HTTP/1.1": {405},
        b"FROBNICATE / HTTP/1.1": {400, 405},
        b"GET http://evil.test/v1/meta HTTP/1.1": {200, 400, 404},
        b"OPTIONS * HTTP/1.1": {204, 400, 404},
    }
    with context.serve() as server:
        for line, allowed in requests.items():
            response = send(
                server.port, line + b"\r\n" + _HOST_HEADER + _CLOSE_HEADER + b"\r\n", 20
            )
            check(response.status in allowed, f"{line!r}: {response.status}")
            server.check_alive()
        upgrade = [b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"]
        response = send(server.port, _get_request(_HOST_HEADER.strip(), *upgrade), 20)
        check(response.status in (200, 400), f"an upgrade: {response.status}")
        body = b"x" * 5_000_000
        length = b"Content-Length: %d\r\n" % len(body)
        post = (
            b"POST /v1/meta HTTP/1.1\r\n" + _HOST_HEADER + length + _CLOSE_HEADER + b"\r\n" + body
        )
        response = send(server.port, post, 20)
        check(response.status in (405, 413), f"5 MB of body: {response.status}")
        server.check_alive()
    return f"{len(requests) + 2} requests"
