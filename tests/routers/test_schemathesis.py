"""Schemathesis finds no deviation of the running API from its OpenAPI document."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.schemathesis_hooks import has_selected_fields, is_excused, is_too_long
from tests.support.serving import fetch

PHASES = ("examples", "coverage", "fuzzing", "stateful")
MIN_CASES = 1_000


def test_responses_match_the_openapi_document(server: str, tmp_path: Path) -> None:
    """All phases and checks pass for every operation, without errors or warnings."""
    report_path = tmp_path / "report.json"
    result = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--no-color"),
            *("run", f"{server}/openapi.json"),
            *("--report", "json", "--report-json-path", str(report_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr
    report = json.loads(report_path.read_text("utf-8"))
    assert {name: phase["status"] for name, phase in report["phases"].items()} == dict.fromkeys(
        PHASES, "success"
    )
    assert report["operations"]["tested"] == report["operations"]["total"] > 0
    assert report["operations"]["total"] == len(fetch(f"{server}/openapi.json").json()["paths"])
    assert report["test_cases"]["generated"] >= MIN_CASES
    assert report["test_cases"]["without_checks"] == 0


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
        "/v1/cite?type=award",
        "/v1/cite?resource=peru-ilo",
        "/v1/awards?format=csv&fields=links",
        "/v1/changes?since=2017-06-15",
    ],
)
def test_rejections_beyond_json_schema_are_excused(server: str, url: str) -> None:
    """Invented cursors and releases, invalid dates and JSON-only parameters are excused."""
    response = fetch(f"{server}{url}")
    assert response.status_code == 422
    assert is_excused(url, response.json())


@pytest.mark.parametrize(
    ("url", "parameters"),
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
        ("/v1/cite?type=award&resource=x", ["type"]),
        ("/v1/awards?format=ndjson&fields=links", ["fields"]),
        ("/v1/awards?format=csv&fields=title", ["fields"]),
    ],
)
def test_other_rejections_are_not_excused(url: str, parameters: list[str]) -> None:
    """A rejection is not excused if any of its errors has no cause in the request."""
    assert not is_excused(url, {"errors": [{"parameter": name} for name in parameters]})


@pytest.mark.parametrize(
    ("query", "data", "expected"),
    [
        ("?fields=title", [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}], True),
        ("?fields=title", [{"id": "a", "title": "A"}, {"id": "b"}], False),
        ("?fields=title&fields=id", {"id": "a", "title": "A"}, True),
        ("?fields=title", {"id": "a", "title": "A", "links": {}}, False),
        ("", {"id": "a"}, False),
    ],
)
def test_fields_are_absent_only_where_others_are_selected(
    query: str, data: object, expected: bool
) -> None:
    """A field that the schema requires may be absent if the request selects other fields."""
    assert has_selected_fields(f"http://127.0.0.1/v1/awards{query}", {"data": data}) is expected


@pytest.mark.parametrize("excess", [0, 1])
def test_only_too_long_urls_are_excused_for_length(server: str, excess: int) -> None:
    """The longest allowed URL is not excused; one more byte is rejected with 414."""
    max_bytes = 16_384
    path = "/v1/awards?region="
    url = f"{server}{path}{'a' * (max_bytes - len(path) + excess)}"
    assert is_too_long(url) is bool(excess)
    assert (fetch(url).status_code == 414) is bool(excess)
