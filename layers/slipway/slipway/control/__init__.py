"""The administrator's hand on the services: switches, circuit breakers, the audit trail, the metrics summary."""
