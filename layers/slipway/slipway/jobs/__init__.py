"""Jobs and their append-only events, shared by every capability that launches something."""
