"""The running API keeps its OpenAPI document, whatever schemathesis thinks of to send."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.support.schemathesis_hooks import is_excused, is_too_long

PHASES = ("examples", "coverage", "fuzzing", "stateful")
FEWEST_CASES = 1_000


def test_every_answer_is_as_declared(server: str, tmp_path: Path) -> None:
    """All phases and all checks over every operation: no failure, no error, no warning."""
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--no-color"),
            *("run", f"{server}/openapi.json"),
            *("--report", "json", "--report-json-path", str(report)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    told = json.loads(report.read_text("utf-8"))
    assert {name: phase["status"] for name, phase in told["phases"].items()} == dict.fromkeys(
        PHASES, "success"
    )
    assert told["operations"]["tested"] == told["operations"]["total"] > 0
    assert told["operations"]["total"] == len(httpx.get(f"{server}/openapi.json").json()["paths"])
    assert told["test_cases"]["generated"] >= FEWEST_CASES
    assert told["test_cases"]["without_checks"] == 0


@pytest.mark.parametrize(
    "url",
    [
        "/v1/awards?cursor=AAAA",
        "/v1/awards?limit=1&cursor=AAAA",
        "/v1/awards?announced__gte=2017-02-30",
        "/v1/awards?ends__lte=2017-13",
        "/v1/awards?ends__lte=0000",
        "/v1/awards?format=csv&include=regions&facet=region",
        "/v1/regions?format=geojson&include=citations",
    ],
)
def test_what_no_schema_can_say_is_excused(server: str, url: str) -> None:
    """A forged cursor, a day that is not, a parameter without a place: refused, and rightly."""
    refusal = httpx.get(f"{server}{url}")
    assert refusal.status_code == 422
    assert is_excused(url, refusal.json())


@pytest.mark.parametrize(
    ("url", "blamed"),
    [
        ("/v1/awards?limit=1", ["limit"]),
        ("/v1/awards?region=cusco", ["cursor"]),
        ("/v1/awards?cursor=AAAA&region=cusco", ["cursor", "region"]),
        ("/v1/awards?announced__gte=2016-02-29", ["announced__gte"]),
        ("/v1/awards?announced__gte=2017-02-30&ends__lte=2017", ["announced__gte", "ends__lte"]),
        ("/v1/awards?include=regions&facet=region", ["include", "facet"]),
        ("/v1/awards?format=json&include=regions", ["include"]),
        ("/v1/awards?format=csv&q=lima", ["q"]),
        ("/v1/awards?format=csv&q=lima", []),
    ],
)
def test_nothing_else_is_excused(url: str, blamed: list[str]) -> None:
    """A refusal without cause in what was sent stays a failure, be it one error of several."""
    assert not is_excused(url, {"errors": [{"parameter": name} for name in blamed]})


@pytest.mark.parametrize("spare", [0, 1])
def test_only_what_is_too_long_is_excused_for_its_length(server: str, spare: int) -> None:
    """The longest address that is read is not excused, and one byte more is refused with 414."""
    longest = 16_384
    path = "/v1/awards?region="
    url = f"{server}{path}{'a' * (longest - len(path) + spare)}"
    assert is_too_long(url) is bool(spare)
    assert (httpx.get(url).status_code == 414) is bool(spare)
