"""deploy/compose.yaml and deploy/haproxy.cfg: valid, and in agreement with image and server."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.responses.problems import PROBLEMS
from app.settings import Settings
from tests.conftest import ROOT, needs
from tests.deploy import balancer, dockerfile
from tests.deploy.manifests import HERE, read_settings, setting_errors
from tests.support.npm import install_packages, package_versions
from tests.support.ports import free_port
from tests.support.programs import end, run, running
from tests.support.serving import fetch
from tests.support.tools_table import check_outcome

COMPOSE = ROOT / "deploy" / "compose.yaml"
CONFIGURATION = balancer.CONFIGURATION.read_text("utf-8")
QUERY_SECONDS: float = Settings.model_fields["query_seconds"].default

Compose = dict[str, Any]


@pytest.fixture(scope="module")
def compose() -> Compose:
    """The Compose file, with its anchors resolved."""
    parsed: Compose = yaml.safe_load(COMPOSE.read_text("utf-8"))
    return parsed


def replicas(compose: Compose) -> dict[str, Any]:
    """The services that are replicas."""
    return {name: service for name, service in compose["services"].items() if "build" in service}


def defaults(service: Compose) -> dict[str, str]:
    """Environment variables of a service where none is set outside."""
    return {
        name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value)
        for name, value in service["environment"].items()
    }


def complaints(compose: Compose, configuration: str) -> list[str]:
    """What is wrong with the Compose file and the configuration of HAProxy, as texts."""
    found = []
    services, balanced = compose["services"], compose["services"]["balancer"]
    named = {(name, name, dockerfile.PORT) for name in replicas(compose)}
    if set(balancer.servers(configuration)) != named:
        found.append("HAProxy has other servers than the replicas")
    if not balanced["ports"][0].endswith(":8080") or balancer.bind(configuration) != ":8080":
        found.append("the published port is not the one that HAProxy listens on")
    if balanced["depends_on"] != {
        name: {"condition": "service_healthy"} for name in replicas(compose)
    }:
        found.append("HAProxy does not wait for the replicas")
    for name, service in services.items():
        if (
            service["read_only"] is not True
            or service["cap_drop"] != ["ALL"]
            or service["security_opt"] != ["no-new-privileges:true"]
            or {"privileged", "cap_add", "network_mode", "pid"} & service.keys()
        ):
            found.append(f"{name} has more rights than it needs")
    for name, service in replicas(compose).items():
        found += _replica_complaints(name, service, configuration)
    networks = compose["networks"]
    if not networks["replicas"].get("internal") or networks["public"].get("internal"):
        found.append("replicas can connect to other hosts, or clients cannot connect")
    if balancer.seconds(configuration, "timeout server") <= QUERY_SECONDS:
        found.append("HAProxy gives up before a query does")
    return found


def _replica_complaints(name: str, service: Compose, configuration: str) -> list[str]:
    found = list(setting_errors(defaults(service)))
    if found:
        return found
    settings = read_settings(defaults(service))
    if service["user"] != f"{dockerfile.USER}:{dockerfile.GROUP}":
        found.append(f"{name} runs as another user than the image")
    if service["networks"] != ["replicas"]:
        found.append(f"{name} is in another network")
    grace = float(service["stop_grace_period"].removesuffix("s"))
    if grace < settings.drain_seconds + settings.stop_seconds + 5:
        found.append(f"{name} may be killed before it has stopped")
    noticed = balancer.seconds(configuration, "inter") + balancer.seconds(
        configuration, "timeout check"
    )
    if noticed + balancer.seconds(configuration, "fastinter") >= settings.drain_seconds:
        found.append(f"{name} may stop before HAProxy sees that it is not ready")
    return found


def test_they_fit_together(compose: Compose) -> None:
    """Servers, ports, user, networks, rights and times."""
    assert complaints(compose, CONFIGURATION) == []
    assert len(replicas(compose)) == 2


MUTATIONS: dict[str, tuple[str, object]] = {
    "another name": ("services.replica-3", "services.replica-2"),
    "user": ("services.replica-1.user", "0:0"),
    "writable": ("services.replica-2.read_only", False),
    "capabilities": ("services.replica-1.cap_drop", []),
    "capability": ("services.balancer.cap_add", ["NET_ADMIN"]),
    "privileged": ("services.replica-1.privileged", True),
    "new privileges": ("services.balancer.security_opt", []),
    "grace period": ("services.replica-1.stop_grace_period", "10s"),
    "short drain": ("services.replica-1.environment", {"DRAIN_SECONDS": "1"}),
    "no drain": ("services.replica-1.environment", {}),
    "unknown setting": ("services.replica-1.environment", {"DRAIN": "5"}),
    "value of a setting": ("services.replica-1.environment", {"DRAIN_SECONDS": "five"}),
    "published port": ("services.balancer.ports", ["8000:80"]),
    "no wait": ("services.balancer.depends_on", {"replica-1": {"condition": "service_started"}}),
    "egress": ("networks.replicas", {}),
    "public replica": ("services.replica-1.networks", ["public"]),
}


@pytest.mark.parametrize(("path", "value"), MUTATIONS.values(), ids=MUTATIONS)
def test_every_mistake_is_reported(compose: Compose, path: str, value: object) -> None:
    """A Compose file with a mistake gives a complaint."""
    changed = copy.deepcopy(compose)
    *steps, last = path.split(".")
    holder: Any = changed
    for step in steps:
        holder = holder[step]
    holder[last] = copy.deepcopy(compose["services"]["replica-2"]) if "." in str(value) else value
    assert complaints(changed, CONFIGURATION)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("replica-1:8000", "replica-1:8080"),
        ("server replica-2", "server replica-3"),
        ("bind :8080", "bind :80"),
        ("timeout server 15s", "timeout server 10s"),
        ("check inter 1s", "check inter 5s"),
    ],
)
def test_every_mistake_in_the_configuration_is_reported(
    compose: Compose, old: str, new: str
) -> None:
    """A configuration of HAProxy that does not fit gives a complaint."""
    assert CONFIGURATION.count(old) == 1
    assert complaints(compose, CONFIGURATION.replace(old, new))


@pytest.mark.node
def test_the_compose_file_follows_the_specification(tmp_path: Path) -> None:
    """The linter finds no error, neither by the schema of Compose nor by rules of its own."""
    program = install_packages(HERE, "it checks the Compose file") / ".bin" / "dclint"
    run(program, "--quiet", "--max-warnings=0", COMPOSE)
    version = package_versions(HERE)["dclint"]
    check_outcome("deployment", "dclint", version, "check `compose.yaml`", "no errors")
    spoiled = tmp_path / "compose.yaml"
    spoiled.write_text(COMPOSE.read_text("utf-8").replace("read_only", "readonly"), "utf-8")
    done = end(program, "--quiet", spoiled)
    assert done.returncode == 1
    assert "invalid-schema" in done.stdout


@pytest.mark.proxy
def test_haproxy_accepts_its_configuration(tmp_path: Path) -> None:
    """HAProxy has no complaint; it has one about a word that it does not know."""
    needs("haproxy", "it checks its configuration")
    text = balancer.with_addresses({"replica-1": "127.0.0.1:8000"}, "127.0.0.1:8080")
    file = tmp_path / "haproxy.cfg"
    file.write_text(text, "utf-8")
    done = end(*balancer.command(file, options=["-c"]), with_stderr=True)
    assert done.returncode == 0
    assert "WARNING" not in done.stdout
    file.write_text(text.replace("leastconn", "leastcon"), "utf-8")
    assert end(*balancer.command(file, options=["-c"])).returncode == 1


@pytest.mark.proxy
def test_errors_of_haproxy_are_problems(tmp_path: Path) -> None:
    """Without a replica; the longest request that the server accepts is not rejected before."""
    port, closed = free_port(), free_port()
    text = balancer.with_addresses({"replica-1": f"127.0.0.1:{closed}"}, f"127.0.0.1:{port}")
    file = tmp_path / "haproxy.cfg"
    file.write_text(text, "utf-8")
    with running(balancer.command(file), port, tmp_path / "log") as address:
        longest = fetch(f"{address}/v1?q={'a' * 16_000}", headers={"x-other": "b" * 30_000})
    assert longest.headers["content-type"] == "application/problem+json"
    assert longest.headers["access-control-allow-origin"] == "*"
    assert longest.json()["status"] == longest.status_code == 503


def test_errors_of_haproxy_have_explanations() -> None:
    """Each has the type and the title of a problem of the API, and its own status."""
    errors = re.findall(r"http-error status (\d+) .* string '(.*?)'", CONFIGURATION)
    assert [status for status, _ in errors] == ["502", "503", "504"]
    for status, text in errors:
        problem = json.loads(text)
        assert problem["status"] == int(status)
        assert problem["title"] == PROBLEMS[problem["type"].removeprefix("/problems/")].title


def test_the_tested_version_is_the_one_in_the_compose_file(compose: Compose) -> None:
    """The image of HAProxy has the version that the tests run, as docs/operations.md says."""
    tested = re.search(
        r"\| HAProxy (\d+\.\d+) \|", (ROOT / "docs" / "operations.md").read_text("utf-8")
    )
    assert tested is not None
    assert compose["services"]["balancer"]["image"] == f"haproxy:{tested[1]}"
