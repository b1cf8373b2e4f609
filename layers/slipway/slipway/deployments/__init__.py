"""Deployments of every kind: one list, one resource, distinguished by ``kind``."""
