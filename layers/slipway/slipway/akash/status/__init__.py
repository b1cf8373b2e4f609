"""What the Console API reports of a running workload."""
