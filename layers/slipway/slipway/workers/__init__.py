"""Workers that prove they are alive: enrolment, heartbeats, sessions and uptime."""
