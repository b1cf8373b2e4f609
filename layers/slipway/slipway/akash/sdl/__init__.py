"""Akash's Stack Definition Language: what a workload runs."""
