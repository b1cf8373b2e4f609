"""The version of the API, of which this is a client."""

__version__ = "0.1.0"
