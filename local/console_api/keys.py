"""The account's key that the simulator takes, besides those that it is given."""

from __future__ import annotations

import hashlib

DEFAULT_KEY = "ac.sk.local." + hashlib.sha256(b"slipway").hexdigest()
