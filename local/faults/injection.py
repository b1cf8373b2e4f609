"""Injects faults for a stack's functions to run into; the other side of ``handler``."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """Where and when to trigger, and how; see ``local.faults.handler``. ``job_id`` None matches any job."""

    boundary: str
    when: str
    action: str = "kill"
    job_id: str | None = None


def inject(directory: Path, fault: Fault) -> Path:
    """Inject a fault; the returned file is gone once it has triggered."""
    path = directory / f"{uuid.uuid4().hex}.json"
    hidden = path.with_suffix(".new")
    hidden.write_text(json.dumps(asdict(fault)), encoding="utf-8")
    return hidden.rename(path)
