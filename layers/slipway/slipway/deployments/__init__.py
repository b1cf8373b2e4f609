"""Deployments of every kind: one list, one resource, told apart by ``kind``."""
