"""The command on real stores: what it prints, and what it says when a store refuses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from tests.publish.servers import (
    FOLDER,
    PREFIX,
    Bucket,
    s3_server,
    unconditional_server,
)
from tests.support.command_line import invoke_cli
from tests.support.environments import install_environment, locked_version
from tests.support.npm import package_versions
from tests.support.ports import free_port
from tests.support.programs import run
from tests.support.serving import fetch
from tests.support.small_mirror import write_small_mirror
from tests.support.tools_table import check_outcome

pytestmark = pytest.mark.process

COPY = """
import sys
import s3fs

server, source, target = sys.argv[1:]
client = {"endpoint_url": server}
store = s3fs.S3FileSystem(key="tester", secret="secret", client_kwargs=client)
store.get(source, target, recursive=True)
"""

VALIDATE = """
import json
import sys

from botocore.session import Session
from botocore.validate import validate_parameters

policy, keys = map(json.loads, sys.argv[1:])
store = "arn:aws:cloudfront::123456789012:key-value-store/00000000-0000-0000-0000-000000000000"


def check(service, operation, parameters):
    model = Session().get_service_model(service).operation_model(operation)
    validate_parameters(parameters, model.input_shape)


check("cloudfront", "CreateResponseHeadersPolicy", {"ResponseHeadersPolicyConfig": policy})
check("cloudfront-keyvaluestore", "UpdateKeys", {"KvsARN": store, "IfMatch": "1", "Puts": keys})
"""
_MAX_VALUE_BYTES = 1_000
"""Of a key in CloudFront's key value store; the limit is 1 KB."""


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A small mirror."""
    return write_small_mirror(tmp_path / "mirror", "1", {"/v1/exports/big.csv": "x" * 9_000_000})


def publish(
    mirror: Path, target: str, *options: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the command on a mirror."""
    return invoke_cli("publish", target, "--mirror", str(mirror), *options, **environment)


def test_what_the_command_prints(mirror: Path, bucket: Bucket) -> None:
    """A dry run writes nothing; a run says what it uploaded; the next has nothing to upload."""
    planned = publish(mirror, bucket.target, "--dry-run", environment=bucket.environment)
    assert planned.returncode == 0, planned.stderr
    snapshot = planned.stderr.split()[1].rstrip(":")
    first, second = planned.stdout.splitlines()
    assert first.startswith(f"{bucket.target}: would upload ")
    assert second == f"would put in place {snapshot}, after nothing"
    assert fetch(bucket.url("current.json")).status_code == 404
    done = publish(mirror, bucket.target, environment=bucket.environment)
    assert done.returncode == 0, done.stderr
    assert "0 were there" in done.stdout
    assert done.stdout.splitlines()[1] == f"in place: {snapshot}, release 2026-01-01"
    assert fetch(bucket.url("current.json")).json()["snapshot"] == snapshot
    again = publish(mirror, bucket.target, environment=bucket.environment)
    assert "uploaded 0 objects, 0 bytes" in again.stdout
    keys = fetch(f"{bucket.server}/{bucket.name}?list-type=2&prefix={PREFIX}/probes").text
    assert "<KeyCount>0</KeyCount>" in keys


def test_a_copy_of_the_bucket_loses_nothing(mirror: Path, bucket: Bucket, tmp_path: Path) -> None:
    """s3fs drops objects whose key is a folder of another without a word; there are none."""
    assert publish(mirror, bucket.target, environment=bucket.environment).returncode == 0
    python = install_environment(FOLDER) / "python"
    target = tmp_path / "copy"
    run(python, "-c", COPY, bucket.server, f"{bucket.name}/{PREFIX}", target)
    listed = fetch(f"{bucket.server}/{bucket.name}?list-type=2").text
    copied = [path for path in target.rglob("*") if path.is_file()]
    assert len(copied) == listed.count("<Key>") > 20
    [index] = target.rglob("objects.ndjson")
    for line in index.read_text("utf-8").splitlines():
        stored = json.loads(line)
        assert (index.parent / stored["name"]).stat().st_size == stored["bytes"]
    version = locked_version(FOLDER, "s3fs")
    done = "copy of a bucket written by `publish`"
    check_outcome("deployment", "s3fs", version, done, "all objects, with their content")


def test_what_cloudfront_reads_has_the_form_that_its_clients_check(
    mirror: Path, bucket: Bucket
) -> None:
    """The response headers policy, and the keys of each release."""
    assert publish(mirror, bucket.target, environment=bucket.environment).returncode == 0
    snapshot = fetch(bucket.url("current.json")).json()["snapshot"]
    keys = fetch(bucket.url(f"snapshots/{snapshot}.cloudfront.json"))
    assert all(len(item["Value"].encode()) < _MAX_VALUE_BYTES for item in keys.json())
    policy = (mirror / "cdn" / "cloudfront-headers.json").read_text("utf-8")
    python = install_environment(FOLDER) / "python"
    run(python, "-c", VALIDATE, policy, keys.text)


def test_missing_buckets_and_servers_are_named(mirror: Path, s3: str) -> None:
    """What is wrong and what to do, without a traceback."""
    missing = Bucket(s3, "missing")
    for options in ((), ("--dry-run",)):
        refused = publish(mirror, missing.target, *options, environment=missing.environment)
        assert refused.returncode == 3
        assert "s3://missing does not exist. Create it, or correct its name." in refused.stderr
    nowhere = Bucket(f"http://127.0.0.1:{free_port()}", "nowhere")
    refused = publish(mirror, nowhere.target, environment=nowhere.environment)
    assert refused.returncode == 3
    assert "cannot be reached" in refused.stderr


def test_wrong_credentials_are_named(mirror: Path, tmp_path: Path) -> None:
    """The variables to check are listed; the values are not."""
    # the two requests that create a bucket need no credentials, and those after them do
    with s3_server(tmp_path, INITIAL_NO_AUTH_ACTION_COUNT="3") as server:
        bucket = Bucket.create(server, "private")
        refused = publish(mirror, bucket.target, environment=bucket.environment)
    assert refused.returncode == 3
    assert "does not permit to" in refused.stderr
    assert "AWS_ACCESS_KEY_ID" in refused.stderr
    assert bucket.environment["AWS_SECRET_ACCESS_KEY"] not in refused.stderr.split()


@pytest.mark.node
def test_a_store_without_conditional_writes(mirror: Path, tmp_path: Path) -> None:
    """It is refused, unless the operator says that nobody else publishes; then all is well."""
    with unconditional_server(tmp_path) as server:
        httpx.put(f"{server}/plain").raise_for_status()
        keys = {"AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER"}
        environment = {**keys, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": server}
        refused = publish(mirror, "s3://plain", environment=environment)
        assert refused.returncode == 3
        assert "ignores conditional writes" in refused.stderr
        assert "--only-publisher" in refused.stderr
        done = publish(mirror, "s3://plain", "--only-publisher", environment=environment)
        assert done.returncode == 0, done.stderr
        again = publish(mirror, "s3://plain", "--only-publisher", environment=environment)
        assert "uploaded 0 objects" in again.stdout
    version = package_versions(FOLDER)["s3rver"]
    what = "`publish`, which tries conditional writes first"
    check_outcome("deployment", "s3rver", version, what, "refused, as it ignores the conditions")


def test_a_changed_file_stops_before_anything_is_sent(mirror: Path, bucket: Bucket) -> None:
    """The file is named, and the bucket stays empty."""
    (mirror / "files" / "v1.json").write_text("{}")
    refused = publish(mirror, bucket.target, environment=bucket.environment)
    assert refused.returncode == 3
    assert "files/v1.json of the mirror was changed after `freeze`" in refused.stderr
    listed = fetch(f"{bucket.server}/{bucket.name}?list-type=2").text
    assert "<Key>" not in listed
