"""Real object stores, and what serves a bucket: nginx, and CloudFront's functions in Node.js."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conftest import needs
from tests.support.environments import install_environment
from tests.support.mirrors import run_nginx
from tests.support.npm import install_packages
from tests.support.ports import free_port
from tests.support.programs import running

FOLDER = Path(__file__).parent
PREFIX = "data/record"
"""Prefix in the buckets of the tests."""
_KEYS = {
    "AWS_ACCESS_KEY_ID": "tester",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of an S3 server.

    Attributes:
        server: Address of the server.
        name: Name of the bucket.
    """

    server: str
    name: str

    @classmethod
    def create(cls, server: str, name: str) -> Bucket:
        """A new bucket that everyone can read."""
        policy = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{name}/*",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
        httpx.put(f"{server}/{name}").raise_for_status()
        httpx.put(f"{server}/{name}?policy", content=document).raise_for_status()
        return cls(server, name)

    @property
    def target(self) -> str:
        """The argument of `publish`."""
        return f"s3://{self.name}/{PREFIX}"

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables with which `publish` finds the server."""
        return {**_KEYS, "AWS_ENDPOINT_URL": self.server}

    def url(self, key: str) -> str:
        """Address of an object."""
        return f"{self.server}/{self.name}/{PREFIX}/{key}"


@contextmanager
def s3_server(work: Path, **environment: str) -> Iterator[str]:
    """Address of an S3 server (moto), which is empty."""
    program = install_environment(FOLDER) / "moto_server"
    port = free_port()
    command = [str(program), "-H", "127.0.0.1", "-p", str(port)]
    with running(command, port, work / "moto.log", environment=environment) as address:
        yield address


@contextmanager
def unconditional_server(work: Path) -> Iterator[str]:
    """Address of an S3 server that ignores the conditions of writes (s3rver)."""
    modules = install_packages(FOLDER, "it runs an object store")
    port = free_port()
    folder = work / "objects"
    folder.mkdir()
    program = str(modules / ".bin" / "s3rver")
    command = [program, "-d", str(folder), "-a", "127.0.0.1", "-p", str(port)]
    with running(command, port, work / "s3rver.log") as address:
        yield address


@contextmanager
def serve_with_nginx(mirror: Path, bucket: Bucket, work: Path) -> Iterator[str]:
    """Address of nginx before a bucket, as the configuration in a mirror describes it."""
    host = bucket.server.removeprefix("http://")
    replacements = {
        "server store.example:443": f"server {host}",
        '"store.example"': f'"{host}"',
        "https://record_store/prefix": f"http://record_store/{bucket.name}/{PREFIX}",
        "/var/cache/nginx/record": str(work / "cache"),
    }
    site = (mirror / "cdn" / "nginx.conf").read_text("utf-8")
    for placeholder, value in replacements.items():
        assert site.count(placeholder) == 1
        site = site.replace(placeholder, value)
    with run_nginx(site, work) as address:
        yield address


@contextmanager
def serve_with_cloudfront_functions(mirror: Path, bucket: Bucket, work: Path) -> Iterator[str]:
    """Address of a server that calls the functions for CloudFront as CloudFront does."""
    node = needs("node", "it runs the functions for CloudFront")
    work.mkdir(parents=True)
    for path in (mirror / "cdn").glob("cloudfront-*"):
        shutil.copy(path, work / path.name)
    port = free_port()
    origin = bucket.url("").rstrip("/")
    command = [node, str(FOLDER / "cloudfront.mjs"), str(port), origin, str(work)]
    with running(command, port, work / "stderr.log") as address:
        yield address
