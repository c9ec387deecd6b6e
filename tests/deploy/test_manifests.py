"""deploy/kubernetes: valid for several versions of Kubernetes, also where schemas say nothing."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import needs
from tests.deploy.manifests import (
    FOLDERS,
    GATEWAY_API,
    HERE,
    Manifest,
    complaints,
    has_kubectl,
    kubectl_kustomize,
    kustomize,
    parse,
    render,
)
from tests.support.environments import install_environment, locked_version
from tests.support.npm import package_versions
from tests.support.programs import end, run
from tests.support.tools_table import check_outcome

pytestmark = [pytest.mark.process, pytest.mark.node]

VERSIONS = ("1.31", "1.33", "1.35", "1.37")
"""Versions of Kubernetes, the newest that kubernetes-validate knows and some before."""
FREE = re.compile(
    r"^Deployment\.spec\.template\.spec\.containers\.0\.(name|image)$"
    r"|^Ingress\.spec\.(ingressClassName|tls\.0\.secretName)$"
    r"|^Gateway\.spec\.(gatewayClassName|listeners\.1\.tls\.certificateRefs\.0\.name)$"
    r"|^Service\.spec\.ports\.0\.name$"
    r"|^(?!Namespace|Deployment|Gateway)\w+\.metadata\.name$"
)
"""Texts that others may have, as nothing else refers to them."""


@pytest.fixture(scope="module", params=FOLDERS)
def folder(request: pytest.FixtureRequest) -> str:
    """Each folder that can be rendered."""
    return str(request.param)


@pytest.fixture(scope="module")
def rendered(folder: str) -> str:
    """Its manifests."""
    return render(kustomize(), folder)


@pytest.fixture(scope="module")
def manifests(rendered: str) -> list[Manifest]:
    """Its manifests, parsed."""
    return parse(rendered)


def validate(text: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Check manifests against the schemas of several versions of Kubernetes."""
    path.write_text(text, "utf-8")
    program = install_environment(HERE) / "kubernetes-validate"
    versions = [part for version in VERSIONS for part in ("--kubernetes-version", version)]
    return end(program, "--strict", *versions, path, with_stderr=True)


def without_gateway(manifests: list[Manifest]) -> list[Manifest]:
    """Those that are part of Kubernetes."""
    return [
        manifest for manifest in manifests if not manifest["apiVersion"].startswith(GATEWAY_API)
    ]


def test_they_are_valid_for_every_version(manifests: list[Manifest], tmp_path: Path) -> None:
    """kubernetes-validate finds nothing, and knows each kind."""
    built_in = without_gateway(manifests)
    done = validate(yaml.safe_dump_all(built_in), tmp_path / "manifests.yaml")
    assert done.returncode == 0, done.stdout
    assert "WARN" not in done.stdout
    for version in VERSIONS:
        assert done.stdout.count(f"against version {version}\n") == len(built_in)
    version = locked_version(HERE, "kubernetes-validate")
    done_with = f"`--strict` on the manifests, for {VERSIONS[0]} to {VERSIONS[-1]}"
    check_outcome("deployment", "kubernetes-validate", version, done_with, "valid, no warnings")


def test_an_unknown_field_or_version_is_reported(tmp_path: Path) -> None:
    """The check above can fail: an unknown field is an error, an unknown apiVersion a warning."""
    service = next(
        manifest for manifest in parse(render(kustomize(), "base")) if manifest["kind"] == "Service"
    )
    unknown_field = {**service, "spec": {**service["spec"], "port": 80}}
    done = validate(yaml.safe_dump(unknown_field), tmp_path / "field.yaml")
    assert done.returncode != 0
    done = validate(yaml.safe_dump({**service, "apiVersion": "v9"}), tmp_path / "version.yaml")
    assert "WARN" in done.stdout


def test_the_gateway_api_accepts_its_kinds(manifests: list[Manifest], folder: str) -> None:
    """The schemas of the Gateway API accept Gateway and routes, and know their closed words."""
    kinds = [manifest for manifest in manifests if manifest not in without_gateway(manifests)]
    assert len(kinds) == (3 if folder == "overlays/gateway" else 0)
    assert check_gateway(kinds) == []
    package = "@kubernetes-models/gateway-api"
    version = package_versions(HERE)[package]
    check_outcome("deployment", package, version, "validate Gateway and HTTPRoute", "valid")
    for route in (manifest for manifest in kinds if manifest["kind"] == "HTTPRoute"):
        spoiled = json.loads(json.dumps(route).replace("RequestRedirect", "Redirect"))
        spoiled = json.loads(json.dumps(spoiled).replace("PathPrefix", "Prefix"))
        assert "must be equal to one of the allowed values" in check_gateway([spoiled])[0]


def check_gateway(manifests: list[Manifest]) -> list[str]:
    """What the schemas of the Gateway API find."""
    done = subprocess.run(
        [needs("node", "it checks manifests"), "check_gateway.cjs"],
        cwd=HERE,
        input=json.dumps(manifests),
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith("ok ")]
    assert bool(done.returncode) == bool(lines)
    return lines


def test_they_fit_together(manifests: list[Manifest], folder: str) -> None:
    """Kinds, closed words, quantities, names, labels, ports, user, times and security settings."""
    assert complaints(manifests, folder) == []


@pytest.mark.skipif(not has_kubectl(), reason="kubectl is not installed")
def test_kubectl_renders_the_same(rendered: str, folder: str) -> None:
    """`kubectl apply --kustomize` uses a kustomize of its own, without warnings."""
    assert parse(render(kubectl_kustomize(), folder)) == parse(rendered)
    assert not end(*kubectl_kustomize(), HERE.parents[1] / "deploy/kubernetes" / folder).stderr


def leaves(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Path of each value that has no further parts."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from leaves(part, (*path, key))
    elif isinstance(value, list) and value:
        for index, part in enumerate(value):
            yield from leaves(part, (*path, index))
    else:
        yield path


def changed(
    manifests: list[Manifest], index: int, path: tuple[str | int, ...], value: object
) -> list[Manifest]:
    """A copy in which one value is another one, or is removed if that is None."""
    copied = copy.deepcopy(manifests)
    holder: Any = copied[index]
    for step in path[:-1]:
        holder = holder[step]
    if value is None:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return copied


def test_every_removed_value_is_reported(manifests: list[Manifest], folder: str) -> None:
    """Nothing that the manifests say can be left out without a complaint."""
    for index, manifest in enumerate(manifests):
        for path in leaves(manifest):
            assert complaints(changed(manifests, index, path, None), folder), path


def test_every_misspelled_text_is_reported(manifests: list[Manifest], folder: str) -> None:
    """Closed words, quantities, names and paths with another letter give a complaint."""
    for index, manifest in enumerate(manifests):
        for path in leaves(manifest):
            value: Any = manifest
            for step in path:
                value = value[step]
            name = ".".join(map(str, (manifest["kind"], *path)))
            if isinstance(value, str) and not FREE.match(name):
                assert complaints(changed(manifests, index, path, f"{value}x"), folder), name


MUTATIONS: dict[str, tuple[str, str, object]] = {
    "unknown apiVersion": ("Deployment", "apiVersion", "apps/v2"),
    "unknown kind": ("Service", "kind", "Services"),
    "closed word": ("Service", "spec.type", "NodePort"),
    "unknown field": ("Deployment", "spec.template.spec.hostNetwork", True),
    "quantity of CPU": ("Deployment", "C.resources.requests.cpu", "250 m"),
    "quantity of memory": ("Deployment", "C.resources.limits.memory", "512M"),
    "more requested than allowed": ("Deployment", "C.resources.requests.memory", "513Mi"),
    "less memory than the cache": ("Deployment", "C.resources.limits.memory", "256Mi"),
    "port": ("Deployment", "C.ports.0.containerPort", 8080),
    "port of the Service": ("Service", "spec.ports.0.targetPort", "web"),
    "port of the policy": ("NetworkPolicy", "spec.ingress.0.ports.0.port", "web"),
    "port of a probe": ("Deployment", "C.readinessProbe.httpGet.port", "web"),
    "number as text": ("Deployment", "C.ports.0.containerPort", "8000"),
    "labels of the Pods": (
        "Deployment",
        "spec.template.metadata.labels",
        {"app.kubernetes.io/name": "other"},
    ),
    "selector of the Service": ("Service", "spec.selector", {"app": "cpc-record"}),
    "selector of the budget": ("PodDisruptionBudget", "spec.selector", {}),
    "selector of the policy": ("NetworkPolicy", "spec.podSelector", {}),
    "root": ("Deployment", "spec.template.spec.securityContext.runAsNonRoot", False),
    "user": ("Deployment", "spec.template.spec.securityContext.runAsUser", 1000),
    "seccomp": ("Deployment", "spec.template.spec.securityContext.seccompProfile.type", "None"),
    "writable root": ("Deployment", "C.securityContext.readOnlyRootFilesystem", False),
    "privilege escalation": ("Deployment", "C.securityContext.allowPrivilegeEscalation", True),
    "privileged": ("Deployment", "C.securityContext.privileged", True),
    "capability": ("Deployment", "C.securityContext.capabilities.add", ["NET_ADMIN"]),
    "capabilities kept": ("Deployment", "C.securityContext.capabilities.drop", ["NET_RAW"]),
    "service account": ("Deployment", "spec.template.spec.automountServiceAccountToken", True),
    "egress": ("NetworkPolicy", "spec.egress", [{}]),
    "egress not restricted": ("NetworkPolicy", "spec.policyTypes", ["Ingress"]),
    "Pod Security Standard": (
        "Namespace",
        "metadata.labels",
        {"pod-security.kubernetes.io/enforce": "baseline"},
    ),
    "grace period": ("Deployment", "spec.template.spec.terminationGracePeriodSeconds", 20),
    "drained too early": ("Deployment", "C.readinessProbe.periodSeconds", 5),
    "readiness as liveness": ("Deployment", "C.livenessProbe.httpGet.path", "/readyz"),
    "liveness as readiness": ("Deployment", "C.readinessProbe.httpGet.path", "/healthz"),
    "short start": ("Deployment", "C.startupProbe.failureThreshold", 5),
    "replica missing in a rollout": (
        "Deployment",
        "spec.strategy.rollingUpdate.maxUnavailable",
        1,
    ),
    "setting": ("Deployment", "C.env.0.name", "DRAIN_SECOND"),
    "value of a setting": ("Deployment", "C.env.0.value", "ten"),
    "fixed number of replicas": ("Deployment", "spec.replicas", 3),
    "two replicas": ("HorizontalPodAutoscaler", "spec.minReplicas", 2),
    "no room to scale": ("HorizontalPodAutoscaler", "spec.maxReplicas", 3),
    "target of the autoscaler": ("HorizontalPodAutoscaler", "spec.scaleTargetRef.name", "other"),
    "budget of all": ("PodDisruptionBudget", "spec.maxUnavailable", 3),
    "not spread": ("Deployment", "spec.template.spec.topologySpreadConstraints", []),
    "namespace": ("Service", "metadata.namespace", "default"),
}
"""Kind, path (`C` for the container) and value of each change that must be reported."""


@pytest.fixture(scope="module")
def base() -> list[Manifest]:
    """The manifests of `base`."""
    return parse(render(kustomize(), "base"))


@pytest.mark.parametrize(("kind", "path", "value"), MUTATIONS.values(), ids=MUTATIONS)
def test_every_mistake_is_reported(
    base: list[Manifest], kind: str, path: str, value: object
) -> None:
    """A manifest with a mistake gives a complaint."""
    path = path.replace("C.", "spec.template.spec.containers.0.")
    steps = tuple(int(step) if step.isdigit() else step for step in path.split("."))
    [index] = [index for index, manifest in enumerate(base) if manifest["kind"] == kind]
    assert complaints(changed(base, index, steps, value), "base")


def test_the_base_has_one_image(rendered: str, folder: str) -> None:
    """A release is an image: overlays change its name and tag, and nothing else does."""
    [image] = re.findall(r"image: (\S+)", rendered)
    name, _, tag = image.partition(":")
    overlaid = folder != "base"
    assert name == ("registry.example/cpc-record" if overlaid else "cpc-record")
    assert bool(tag) == overlaid


def test_kustomize_renders_each_folder(rendered: str) -> None:
    """The program that renders is the one that the lock file names, where it has one."""
    assert rendered
    [version] = re.findall(r"v(\d+\.\d+\.\d+)", run(kustomize()[0], "version"))[:1]
    check_outcome("deployment", "kustomize", version, "render base and overlays", "as expected")
