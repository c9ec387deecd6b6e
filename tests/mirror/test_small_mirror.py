"""A mirror of a small record, in this process: written in every form, checked, replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import invoke_cli
from tests.support.mirrors import read_manifest, read_tree
from tests.support.published import ENVIRONMENT

FORMS = ("--bag", "--crate", "--warc")


@pytest.fixture
def options(seed: Any, tmp_path: Path) -> list[str]:
    """Options that name a record without awards, and its archive."""
    seed.data["awards"] = seed.data["activities"] = []
    return ["--seed", str(seed.write()), "--archive", str(tmp_path / "archive.sqlite")]


def test_a_small_record_is_frozen_and_verified(tmp_path: Path, options: list[str]) -> None:
    """A bag with all forms is right; a plain mirror replaces it; what differs is named."""
    folder = tmp_path / "record"
    frozen = invoke_cli("freeze", str(folder), *FORMS, *options, **ENVIRONMENT)
    assert frozen.returncode == 0, frozen.stderr
    verified = invoke_cli("verify", "--mirror", str(folder), *options, **ENVIRONMENT)
    assert verified.returncode == 0, verified.stderr
    assert (folder / "data" / "record.warc.gz").exists()
    packed = read_tree(folder / "data" / "files")
    again = invoke_cli("freeze", str(folder), *options, **ENVIRONMENT)
    assert again.returncode == 0, again.stderr
    assert not (folder / "bagit.txt").exists()
    assert read_tree(folder / "files") == packed
    other = {**ENVIRONMENT, "PUBLISHER_NAME": "Another Archive"}
    differing = invoke_cli("verify", "--mirror", str(folder), *options, **other)
    assert differing.returncode == 1
    assert "/data.json" in differing.stderr
    entry = next(entry for entry in read_manifest(folder) if entry["url"] == "/v1/meta")
    (folder / "files" / entry["file"]).write_bytes(b"{}")
    damaged = invoke_cli("verify", "--mirror", str(folder), *options, **ENVIRONMENT)
    assert damaged.returncode == 1
    assert "v1/meta.json: found different content" in damaged.stderr
