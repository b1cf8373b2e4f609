"""The Akash Console API over HTTP."""
