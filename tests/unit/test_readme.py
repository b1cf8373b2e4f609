"""The README names what there is."""

from __future__ import annotations

import re

from local.paths import ROOT
from tests.support.template import template

README = ROOT / "README.md"


def test_every_parameter_is_explained() -> None:
    explained = set(re.findall(r"`([A-Z][A-Za-z0-9]+)`", README.read_text().split("## On AWS")[1]))
    assert set(template()["Parameters"]) <= explained
