#!/usr/bin/env bash
# fastmcp 4.2.3 (PyPI: fastmcp 4.2.3, mcp 2.3.0): a tool with `additionalProperties: false` takes unknown arguments.
#
# Expected: a tool made of an OpenAPI operation refuses a call that its own published input schema refuses,
# or passes the argument on, so that the API can refuse it.
# Seen: by default, an argument that is not in the schema is dropped, also where the listed schema has
# `additionalProperties: false`. The request is sent without it, and the result is no error. Only with
# `strict_input_validation=True` does the call fail, with the names of the arguments that are accepted.
# Output: "fastmcp 4.2.3: regoin dropped, all 2 items returned; strict: Unknown arguments: regoin. Accepted: region"
#
# Why a publisher cares: a model that misspells the name of a filter takes the unfiltered list for the filtered
# one. An API that rejects unknown parameters never hears of it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check fastmcp==4.2.3 mcp==2.3.0 >pip.log 2>&1 ||
    { cat pip.log; exit 1; }

cat >call.py <<'PYTHON'
"""Call a tool with a misspelled argument, by default and with strict validation."""
import asyncio
import sys

import httpx2
from fastmcp import Client, FastMCP

REGION = {"name": "region", "in": "query", "schema": {"type": "string"}}
RESPONSE = {"description": "A list.", "content": {"application/json": {"schema": {"type": "object"}}}}
OPERATION = {"operationId": "listItems", "parameters": [REGION], "responses": {"200": RESPONSE}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Items", "version": "1"},
    "paths": {"/items": {"get": OPERATION}},
}
ITEMS = [{"id": "one", "region": "north"}, {"id": "two", "region": "south"}]


def api(request):
    """An API that rejects the parameters that it does not know."""
    if set(request.url.params) - {"region"}:
        return httpx2.Response(422, json={"detail": "unknown parameter"})
    region = request.url.params.get("region")
    return httpx2.Response(200, json={"data": [i for i in ITEMS if region in (None, i["region"])]})


def close_schema(_, tool):
    tool.parameters["additionalProperties"] = False


async def call(**options):
    client = httpx2.AsyncClient(base_url="http://api.example", transport=httpx2.MockTransport(api))
    server = FastMCP.from_openapi(DOCUMENT, client, mcp_component_fn=close_schema, **options)
    async with Client(server) as session:
        (tool,) = (await session.list_tools_mcp()).model_dump(by_alias=True)["tools"]
        assert tool["inputSchema"]["additionalProperties"] is False
        right = await session.call_tool_mcp("listItems", {"region": "south"})
        assert right.structured_content == {"data": ITEMS[1:]}
        return await session.call_tool_mcp("listItems", {"regoin": "south"})


default = asyncio.run(call())
strict = asyncio.run(call(strict_input_validation=True))
items = "an error" if default.is_error else f"all {len(default.structured_content['data'])} items returned"
sys.stdout.write(f"regoin dropped, {items}; strict: {strict.content[0].text}\n")
PYTHON
seen=$(venv/bin/python call.py 2>call.log) || { cat call.log; exit 1; }
expected="regoin dropped, all 2 items returned; strict: Unknown arguments: regoin. Accepted: region"
if [ "$seen" != "$expected" ]; then
    echo "fastmcp 4.2.3 has changed: $seen"
    exit 1
fi
echo "fastmcp 4.2.3: $seen"
