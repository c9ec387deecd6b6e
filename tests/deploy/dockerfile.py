"""What the Dockerfile says about the image, for comparison with what runs it."""

from __future__ import annotations

import re

from tests.conftest import ROOT

_TEXT = (ROOT / "Dockerfile").read_text("utf-8")


def _instruction(name: str) -> str:
    [found] = re.findall(rf"^{name} (\S+)$", _TEXT, re.MULTILINE)
    return str(found)


USER, GROUP = map(int, _instruction("USER").split(":"))
"""User and group that the image runs as."""
PORT = int(_instruction("EXPOSE"))
"""Port that the image listens on."""
HEALTH_PATH = str(re.findall(r"(/\w+)', timeout", _TEXT)[0])
"""Path that the image's health check requests."""
