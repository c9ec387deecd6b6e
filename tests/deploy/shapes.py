"""Shape of each manifest of deploy/kubernetes: its fields, their closed words and quantities.

The schemas of Kubernetes list no words that a field may have, take any text for a quantity, and
know no required security settings. Here each field is required and no other is allowed, so a field
that is misspelled, added or removed is reported, too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")]
Port = Annotated[int, Field(ge=1, le=65_535)]
Count = Annotated[int, Field(ge=1)]
Cpu = Annotated[str, Field(pattern=r"^[1-9][0-9]*m?$")]
Memory = Annotated[str, Field(pattern=r"^[1-9][0-9]*[MG]i$")]
Labels = Annotated[dict[str, Name], Field(min_length=1)]


class Shape(BaseModel):
    """A part of a manifest."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class ClusterMetadata(Shape):
    """Metadata of what belongs to no namespace."""

    name: Name
    labels: Labels


class RouteMetadata(Shape):
    """Metadata of an object in a namespace."""

    name: Name
    namespace: Name


class Metadata(RouteMetadata):
    """Metadata of an object with labels."""

    labels: Labels


class Namespace(Shape):
    """The namespace."""

    api_version: Literal["v1"]
    kind: Literal["Namespace"]
    metadata: ClusterMetadata


class Selector(Shape):
    """Selects objects by their labels."""

    match_labels: Labels


class HttpGet(Shape):
    """Request of a probe."""

    path: Literal["/healthz", "/readyz"]
    port: Name


class Probe(Shape):
    """A probe."""

    http_get: HttpGet
    period_seconds: Count
    timeout_seconds: Count
    failure_threshold: Count


class ContainerPort(Shape):
    """A port of a container."""

    name: Name
    container_port: Port
    protocol: Literal["TCP"]


class Variable(Shape):
    """An environment variable."""

    name: Annotated[str, Field(pattern=r"^[A-Z_]+$")]
    value: Annotated[str, Field(min_length=1)]


class Capabilities(Shape):
    """Capabilities of a container: none."""

    drop: tuple[Literal["ALL"]]


class ContainerSecurity(Shape):
    """Security settings of a container."""

    allow_privilege_escalation: Literal[False]
    privileged: Literal[False]
    read_only_root_filesystem: Literal[True]
    capabilities: Capabilities


class Requests(Shape):
    """What is reserved for a container."""

    cpu: Cpu
    memory: Memory


class Limits(Shape):
    """What a container may use."""

    memory: Memory


class Resources(Shape):
    """Resources of a container."""

    requests: Requests
    limits: Limits


class Container(Shape):
    """The container of a replica."""

    name: Name
    image: Annotated[str, Field(pattern=r"^[a-z0-9./-]+(:[\w.-]+|@sha256:[0-9a-f]{64})?$")]
    ports: Annotated[list[ContainerPort], Field(min_length=1, max_length=1)]
    env: list[Variable]
    startup_probe: Probe
    liveness_probe: Probe
    readiness_probe: Probe
    resources: Resources
    security_context: ContainerSecurity


class SeccompProfile(Shape):
    """System calls that are allowed."""

    type: Literal["RuntimeDefault"]


class PodSecurity(Shape):
    """Security settings of a Pod."""

    run_as_non_root: Literal[True]
    run_as_user: Count
    run_as_group: Count
    seccomp_profile: SeccompProfile


class Spread(Shape):
    """How replicas are spread over nodes or zones."""

    topology_key: Literal["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    max_skew: Count
    when_unsatisfiable: Literal["ScheduleAnyway"]
    match_label_keys: tuple[Literal["pod-template-hash"]]
    label_selector: Selector


class PodSpec(Shape):
    """A replica."""

    automount_service_account_token: Literal[False]
    enable_service_links: Literal[False]
    termination_grace_period_seconds: Count
    security_context: PodSecurity
    topology_spread_constraints: Annotated[list[Spread], Field(min_length=2, max_length=2)]
    containers: Annotated[list[Container], Field(min_length=1, max_length=1)]


class PodLabels(Shape):
    """Metadata of the Pods of a Deployment."""

    labels: Labels


class PodTemplate(Shape):
    """What the Pods of a Deployment are made from."""

    metadata: PodLabels
    spec: PodSpec


class RollingUpdate(Shape):
    """Steps of a rollout: one more replica, never one less."""

    max_surge: Literal[1]
    max_unavailable: Literal[0]


class Strategy(Shape):
    """How a Deployment replaces its Pods."""

    type: Literal["RollingUpdate"]
    rolling_update: RollingUpdate


class DeploymentSpec(Shape):
    """What a Deployment keeps running."""

    min_ready_seconds: Count
    progress_deadline_seconds: Count
    revision_history_limit: Count
    strategy: Strategy
    selector: Selector
    template: PodTemplate


class Deployment(Shape):
    """The replicas."""

    api_version: Literal["apps/v1"]
    kind: Literal["Deployment"]
    metadata: Metadata
    spec: DeploymentSpec


class ServicePort(Shape):
    """A port of a Service."""

    name: Name
    port: Port
    target_port: Name
    protocol: Literal["TCP"]
    app_protocol: Literal["http"]


class ServiceSpec(Shape):
    """Where a Service sends connections."""

    type: Literal["ClusterIP"]
    selector: Labels
    ports: Annotated[list[ServicePort], Field(min_length=1, max_length=1)]


class Service(Shape):
    """The address of the replicas within the cluster."""

    api_version: Literal["v1"]
    kind: Literal["Service"]
    metadata: Metadata
    spec: ServiceSpec


class Target(Shape):
    """What an autoscaler scales."""

    api_version: Literal["apps/v1"]
    kind: Literal["Deployment"]
    name: Name


class Utilization(Shape):
    """Share of what is requested, in percent."""

    type: Literal["Utilization"]
    average_utilization: Annotated[int, Field(ge=1, le=100)]


class ResourceMetric(Shape):
    """Use of a resource."""

    name: Literal["cpu"]
    target: Utilization


class Metric(Shape):
    """What an autoscaler measures."""

    type: Literal["Resource"]
    resource: ResourceMetric


class ScalingPolicy(Shape):
    """How fast an autoscaler acts."""

    type: Literal["Pods"]
    value: Count
    period_seconds: Count


class ScaleDown(Shape):
    """How an autoscaler removes replicas."""

    stabilization_window_seconds: Count
    policies: Annotated[list[ScalingPolicy], Field(min_length=1)]


class Behavior(Shape):
    """How an autoscaler acts."""

    scale_down: ScaleDown


class AutoscalerSpec(Shape):
    """When there are how many replicas."""

    scale_target_ref: Target
    min_replicas: Annotated[int, Field(ge=3)]
    max_replicas: Annotated[int, Field(ge=3)]
    metrics: Annotated[list[Metric], Field(min_length=1, max_length=1)]
    behavior: Behavior


class Autoscaler(Shape):
    """Sets the number of replicas."""

    api_version: Literal["autoscaling/v2"]
    kind: Literal["HorizontalPodAutoscaler"]
    metadata: Metadata
    spec: AutoscalerSpec


class BudgetSpec(Shape):
    """How many replicas may be missing while nodes are drained."""

    selector: Selector
    max_unavailable: Literal[1]
    unhealthy_pod_eviction_policy: Literal["AlwaysAllow"]


class DisruptionBudget(Shape):
    """Limits what a drained node takes away at once."""

    api_version: Literal["policy/v1"]
    kind: Literal["PodDisruptionBudget"]
    metadata: Metadata
    spec: BudgetSpec


class PolicyPort(Shape):
    """A port that a NetworkPolicy opens."""

    port: Name
    protocol: Literal["TCP"]


class IngressRule(Shape):
    """What may connect to which port: anything."""

    ports: Annotated[list[PolicyPort], Field(min_length=1, max_length=1)]


class PolicySpec(Shape):
    """Connections from and to replicas."""

    pod_selector: Selector
    policy_types: tuple[Literal["Ingress"], Literal["Egress"]]
    ingress: Annotated[list[IngressRule], Field(min_length=1, max_length=1)]
    egress: Annotated[list[None], Field(max_length=0)]


class NetworkPolicy(Shape):
    """Allows connections to one port, and none from a replica."""

    api_version: Literal["networking.k8s.io/v1"]
    kind: Literal["NetworkPolicy"]
    metadata: Metadata
    spec: PolicySpec


class ServicePortName(Shape):
    """A port of a Service, by name."""

    name: Name


class IngressService(Shape):
    """The Service that an Ingress sends requests to."""

    name: Name
    port: ServicePortName


class IngressBackend(Shape):
    """Where an Ingress sends requests."""

    service: IngressService


class IngressPath(Shape):
    """A path of an Ingress."""

    path: Literal["/"]
    path_type: Literal["Prefix"]
    backend: IngressBackend


class IngressPaths(Shape):
    """Paths of a host."""

    paths: Annotated[list[IngressPath], Field(min_length=1, max_length=1)]


class IngressHost(Shape):
    """A host of an Ingress."""

    host: Name
    http: IngressPaths


class IngressTls(Shape):
    """Certificate of an Ingress."""

    hosts: Annotated[list[Name], Field(min_length=1)]
    secret_name: Name


class IngressSpec(Shape):
    """A public address through an Ingress controller."""

    ingress_class_name: Name
    tls: Annotated[list[IngressTls], Field(min_length=1)]
    rules: Annotated[list[IngressHost], Field(min_length=1)]


class Ingress(Shape):
    """A public address through an Ingress controller."""

    api_version: Literal["networking.k8s.io/v1"]
    kind: Literal["Ingress"]
    metadata: RouteMetadata
    spec: IngressSpec


class ListenerNamespaces(Shape):
    """Namespaces whose routes a listener takes."""

    from_: Annotated[Literal["Same"], Field(alias="from")]


class AllowedRoutes(Shape):
    """Routes that a listener takes."""

    namespaces: ListenerNamespaces


class Certificate(Shape):
    """A certificate."""

    name: Name


class ListenerTls(Shape):
    """TLS of a listener."""

    mode: Literal["Terminate"]
    certificate_refs: Annotated[list[Certificate], Field(min_length=1)]


class PlainListener(Shape):
    """A port of a Gateway without TLS."""

    name: Name
    hostname: Name
    port: Literal[80]
    protocol: Literal["HTTP"]
    allowed_routes: AllowedRoutes


class TlsListener(Shape):
    """A port of a Gateway with TLS."""

    name: Name
    hostname: Name
    port: Literal[443]
    protocol: Literal["HTTPS"]
    tls: ListenerTls
    allowed_routes: AllowedRoutes


class GatewaySpec(Shape):
    """Ports of a Gateway."""

    gateway_class_name: Name
    listeners: tuple[PlainListener, TlsListener]


class Gateway(Shape):
    """A public address of the cluster."""

    api_version: Literal["gateway.networking.k8s.io/v1"]
    kind: Literal["Gateway"]
    metadata: RouteMetadata
    spec: GatewaySpec


class Parent(Shape):
    """The listener that a route belongs to."""

    name: Name
    section_name: Name


class PathMatch(Shape):
    """Every path."""

    type: Literal["PathPrefix"]
    value: Literal["/"]


class RouteMatch(Shape):
    """What a rule is for."""

    path: PathMatch


class Header(Shape):
    """A header that a route sets."""

    name: Literal["Strict-Transport-Security"]
    value: Annotated[str, Field(pattern=r"^max-age=[1-9][0-9]+$")]


class HeaderModifier(Shape):
    """Headers that a route sets."""

    set_: Annotated[list[Header], Field(alias="set", min_length=1)]


class HeaderFilter(Shape):
    """Changes headers of responses."""

    type: Literal["ResponseHeaderModifier"]
    response_header_modifier: HeaderModifier


class Backend(Shape):
    """The Service that a route sends requests to."""

    name: Name
    port: Port


class ForwardRule(Shape):
    """Sends requests to a Service."""

    matches: Annotated[list[RouteMatch], Field(min_length=1)]
    filters: Annotated[list[HeaderFilter], Field(min_length=1)]
    backend_refs: Annotated[list[Backend], Field(min_length=1, max_length=1)]


class Redirect(Shape):
    """Where clients are sent."""

    scheme: Literal["https"]
    status_code: Literal[301]


class RedirectFilter(Shape):
    """Sends clients elsewhere."""

    type: Literal["RequestRedirect"]
    request_redirect: Redirect


class RedirectRule(Shape):
    """Sends clients to HTTPS."""

    filters: Annotated[list[RedirectFilter], Field(min_length=1)]


class RouteSpec(Shape):
    """What a route does with requests."""

    parent_refs: Annotated[list[Parent], Field(min_length=1, max_length=1)]
    hostnames: Annotated[list[Name], Field(min_length=1)]
    rules: Annotated[list[ForwardRule | RedirectRule], Field(min_length=1, max_length=1)]


class HttpRoute(Shape):
    """Leads requests from a Gateway to a Service."""

    api_version: Literal["gateway.networking.k8s.io/v1"]
    kind: Literal["HTTPRoute"]
    metadata: RouteMetadata
    spec: RouteSpec


Manifest = Annotated[
    Namespace
    | Deployment
    | Service
    | Autoscaler
    | DisruptionBudget
    | NetworkPolicy
    | Ingress
    | Gateway
    | HttpRoute,
    Field(discriminator="kind"),
]
MANIFEST: TypeAdapter[Manifest] = TypeAdapter(Manifest)
