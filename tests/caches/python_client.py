"""Sends the requests that it reads, one JSON object a line, through a caching client.

Arguments: the examples of the documentation, and the expression of the client in their names.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def send(client: Any, names: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """What the client returns for a request, the body as decoded by the client."""
    if "resume" in request:
        path = Path(request["resume"])
        names["resume"](client, request["url"], path, request["etag"])
        return {}
    headers = {name.lower(): value for name, value in request["headers"].items()}
    if hasattr(client, "prepare_request"):  # a session of requests
        headers = {"accept-encoding": None, **headers}
    else:
        headers = {"accept-encoding": "identity", **headers}
    response = client.request(request["method"], request["url"], headers=headers)
    return {
        "status": response.status_code,
        "headers": joined(response.headers),
        "body": base64.b64encode(response.content).decode(),
    }


def joined(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers by lower-case name."""
    return {name.lower(): value for name, value in headers.items()}


def main(examples: str, expression: str) -> None:
    """Answer every line of standard input with a line."""
    names: dict[str, Any] = {}
    exec(Path(examples).read_text("utf-8"), names)  # noqa: S102 - an example of our own
    client = eval(expression, names)  # noqa: S307 - from the tests
    for line in sys.stdin:
        try:
            reply = send(client, names, json.loads(line))
        except Exception as error:  # noqa: BLE001 - any error of any library
            reply = {"error": repr(error)}
        print(json.dumps(reply), flush=True)  # noqa: T201 - the protocol


if __name__ == "__main__":
    main(*sys.argv[1:])
