"""Manifests and configuration of deploy/, and replicas behind a load balancer."""
