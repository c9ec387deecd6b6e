"""An MCP server for the record: tools that list, search and cite what the API serves.

`python mcp_server.py http://127.0.0.1:8000` speaks MCP on standard input and output; with
`--port 9000` it serves http://127.0.0.1:9000/mcp instead.
"""

import argparse

import httpx2
from fastmcp import FastMCP
from fastmcp.server.providers.openapi import MCPType
from mcp.types import ToolAnnotations

TOOLS = {
    "search",
    "listPartnerships",
    "listObjectives",
    "listAwards",
    "listActivities",
    "listRegions",
    "listOrganizations",
    "listSources",
    "listCitations",
    "listChanges",
    "getCite",
}
INSTRUCTIONS = """
A field that is null and listed in `not_stated` is unknown: do not report it as zero or none.
Ids in results, such as `recipient`, are looked up with `id` in the tool that lists their type.
`listCitations` gives the source of every value. Cite the record as `getCite` says.
"""


def choose(route, _):
    """Make a tool of the operations above, and nothing of the others."""
    return MCPType.TOOL if route.operation_id in TOOLS else MCPType.EXCLUDE


def describe(_, tool):
    """Tell clients that a tool only reads, and takes no other arguments than it lists."""
    tool.annotations = ToolAnnotations(readOnlyHint=True)
    tool.parameters["additionalProperties"] = False


def create_server(api):
    """The MCP server for the API at an address."""
    document = httpx2.get(f"{api}/openapi-clients.json").raise_for_status().json()
    return FastMCP.from_openapi(
        document,
        httpx2.AsyncClient(base_url=api),
        name=document["info"]["title"],
        instructions=INSTRUCTIONS.strip(),
        route_map_fn=choose,
        mcp_component_fn=describe,
        validate_output=False,  # else the schema of each result is listed: ten times the size
        strict_input_validation=True,  # else an unknown argument is dropped without an error
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("api", help="address of the API")
    parser.add_argument("--port", type=int, help="serve HTTP on this port")
    arguments = parser.parse_args()
    server = create_server(arguments.api)
    if arguments.port:
        server.run("http", host="127.0.0.1", port=arguments.port, show_banner=False)
    else:
        server.run(show_banner=False)
