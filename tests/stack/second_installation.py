"""Deploys a second installation into a running engine, with the code that deploys to AWS; run as a process of its own.

`python -m tests.stack.second_installation <stack.json> <directory>` prints a JSON object: what was said, the outputs of
each run, and the plans before and after. The engine's gaps are covered as they are for the first installation.
"""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from deploy.run import Deployment
from deploy.settings import Settings, parse
from deploy.stack import Stack
from deploy.tools import package
from local.build import sam_environment
from local.engine.adapter import adapt, write
from local.engine.http_api import api_id
from local.engine.layers import current_layers
from local.engine.server import client_environment
from local.paths import BUILD

STAGE = "second"
# The front door of the second installation asks for these; the first one's ids are taken.
IDS = {"HttpApi": "5ec0dd01", "WebSocketApi": "5ec0dd02"}


class EngineTools:
    """Builds and packages for the local engine."""

    def __init__(self, directory: Path, port: int, api: str) -> None:
        self.directory, self.port, self.api = directory, port, api

    def build(self, settings: Settings) -> Path:
        template = yaml.load((BUILD / "template.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
        log = self.directory / "functions.log"
        log.touch()
        target = self.directory / "functions"
        adapted = adapt(template, {}, build=BUILD, layers=current_layers(), target=target, log=log).template
        for name, custom_id in IDS.items():
            adapted["Resources"][name]["Properties"]["Tags"] = {"ms-custom-id": custom_id}
        for bootstrap in target.glob("*/bootstrap"):
            text = bootstrap.read_text(encoding="utf-8")
            bootstrap.write_text(text.replace(api_id("WebSocketApi"), IDS["WebSocketApi"]), encoding="utf-8")
        adapted["Outputs"]["ApiUrl"] = {"Value": self.api}
        path = self.directory / "template.yaml"
        write(adapted, path)
        return path

    def package(self, template: Path, bucket: str) -> Path:
        packaged = template.with_name("packaged.yaml")
        package(template, packaged, bucket, {**sam_environment(), **client_environment(self.port)})
        return packaged

    def publish_dashboard(self, settings: Settings, outputs: dict[str, str]) -> list[str]:
        return []

    def smoke(self, settings: Settings, outputs: dict[str, str]) -> bool:
        return True  # The test does it, through a front door.


def _file(described: dict[str, Any], api: str) -> str:
    chain = described["chains"][0]
    admin = next(account for account in described["accounts"] if account["role"] == "admin")
    return f"""
region = "{described["region"]}"
architecture = "x86_64"
[[chains]]
chain_id = {chain["chain_id"]}
name = "local"
rpc_urls = ["{chain["rpc_url"]}"]
block_seconds = 1
max_fee_per_gas = "200000000000"
[wallets]
"{admin["address"]}" = {{ roles = ["admin"] }}
[parameters]
AllowPrivateNetwork = "true"
WebhookPrivateNetwork = "true"
SourcifyUrl = ""
StreamUrl = "{api.replace("http", "ws", 1)}"
[contracts]
administrator = "KEY"
fund = "10"
"""


def main(stack_file: str, directory: str, api: str) -> int:
    """Plan, deploy, deploy again and plan once more."""
    described = json.loads(Path(stack_file).read_text(encoding="utf-8"))
    port = urlsplit(described["aws_endpoint"]).port
    assert port
    os.environ.update(client_environment(port))
    import boto3

    admin = next(account for account in described["accounts"] if account["role"] == "admin")
    settings = parse(STAGE, _file(described, api), {"KEY": admin["private_key"]})
    session: Any = boto3.Session(region_name=settings.region)
    clients = cache(lambda service: session.client(service))
    said: list[str] = []
    stack = Stack(clients("cloudformation"), settings.stack, least_pause=0.2)
    tools = EngineTools(Path(directory), port, api)
    deployment = Deployment(settings, clients, tools, Path(directory) / "state", stack, said.append)
    answer: dict[str, Any] = {"planned": deployment.plan(), "plan": said[:]}
    said.clear()
    answer["first"], answer["said"] = deployment.deploy(), said[:]
    said.clear()
    answer["second"], answer["said_again"] = deployment.deploy(), said[:]
    answer["resources"] = {name: physical for name, _, physical in stack.resources()}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
