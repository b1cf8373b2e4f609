"""Logs of a workload as Server-Sent Events."""
