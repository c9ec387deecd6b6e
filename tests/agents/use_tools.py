"""Uses an MCP server as an agent does, and prints what it got: a program for one transport.

`use_tools.py URL` or `use_tools.py PROGRAM ARGUMENT...`, which is started and spoken to over its
standard input and output.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "list": ("listAwards", {"sort": "title", "fields": ["title", "not_stated"]}),
    "several values": ("listActivities", {"award": ["peru-ilo", "peru-centro-yanapanakusun"]}),
    "related": ("listAwards", {"id": ["peru-ilo"], "include": ["recipient", "citations"]}),
    "search": ("search", {"q": "shelters"}),
    "citation": ("getCite", {}),
    "invalid value": ("listAwards", {"sort": "anounced"}),
    "unknown argument": ("listAwards", {"regoin": ["cusco"]}),
    "other format": ("listAwards", {"format": "csv"}),
    "missing argument": ("search", {}),
    "unknown tool": ("listAward", {}),
}


async def main(command: list[str]) -> None:
    """Connect, list the tools and make every call."""
    transport = (
        StreamableHttpTransport(command[0])
        if command[0].startswith("http")
        else StdioTransport(sys.executable, command)
    )
    async with Client(transport) as client:
        listed = await client.list_tools_mcp()
        text = listed.model_dump_json(by_alias=True, exclude_none=True)
        seen = {
            "instructions": client.instructions,
            "bytes": len(text.encode()),
            "tools": json.loads(text)["tools"],
            "results": {title: await call(client, *made) for title, made in CALLS.items()},
        }
    json.dump(seen, sys.stdout)


async def call(client: Client[Any], name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Whether a call is an error, its text, and its structured result."""
    result = await client.call_tool_mcp(name, arguments)
    answer: dict[str, Any] = json.loads(result.model_dump_json(by_alias=True))
    return {
        "error": answer["isError"],
        "text": answer["content"][0]["text"],
        "data": answer.get("structuredContent"),
    }


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
