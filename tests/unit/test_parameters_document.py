"""docs/parameters.md explains every parameter of the template."""

from __future__ import annotations

import re

from local.paths import ROOT
from tests.support.template import template

PARAMETERS = ROOT / "docs" / "parameters.md"


def test_every_parameter_is_explained() -> None:
    explained = set(re.findall(r"`([A-Z][A-Za-z0-9]+)`", PARAMETERS.read_text(encoding="utf-8")))
    assert set(template()["Parameters"]) <= explained
