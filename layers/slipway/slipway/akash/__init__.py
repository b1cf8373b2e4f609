"""Akash workloads: deploy from SDL, choose a bid, follow the lease, close."""
