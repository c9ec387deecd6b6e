"""Prints the FAIR Signposting of each address on the command line, as JSON by address."""

from __future__ import annotations

import json
import sys
from typing import Any

from signposting import Signpost, Signposting, find_signposting_http


def summary(found: Signposting) -> dict[str, Any]:
    """Targets by relation, with their media types."""
    return {
        "cite-as": target(found.citeAs),
        "license": target(found.license),
        "collection": target(found.collection),
        "type": sorted(str(post.target) for post in found.types),
        "author": sorted(str(post.target) for post in found.authors),
        "describedby": {str(post.target): post.type for post in found.describedBy},
        "describes": {str(post.target): post.type for post in found.describes},
        "item": {str(post.target): post.type for post in found.items},
    }


def target(post: Signpost | None) -> str | None:
    """The target of a link, if there is one."""
    return str(post.target) if post else None


if __name__ == "__main__":
    addresses = {address: summary(find_signposting_http(address)) for address in sys.argv[1:]}
    json.dump(addresses, sys.stdout)
