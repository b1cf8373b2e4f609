"""The SDL of each stack. Pure.

The generation is part of what runs: every job makes another manifest, so an update restarts the container even where
nothing else has changed, and no two environments ever have the same manifest.
"""

import json
from typing import Any

from slipway.stacks.models import ApiSpec, NodeSpec
from slipway.stacks.rules import PEERING_PORT, RPC_PORT, WEBSOCKET_PORT, Endpoint

NODE_SERVICE, API_SERVICE = "node", "api"
API_PORT = 8000
_PLACEMENT = "akash"
# Where bananode of the official image keeps its ledger (docker/node/entry.sh of BananoCoin/banano).
_LEDGER = "/root/BananoData"
# Options go before what the configuration files say, so the RPC can never control a wallet, whatever the volume holds.
_NODE_OPTIONS = (
    "--config rpc.enable=true",
    "--config node.websocket.enable=true",
    "--config node.websocket.address=::ffff:0.0.0.0",
    f"--config node.websocket.port={WEBSOCKET_PORT}",
    "--rpcconfig address=::ffff:0.0.0.0",
    f"--rpcconfig port={RPC_PORT}",
    "--rpcconfig enable_control=false",
)
# Most uact a block that a bid may ask, a hundredth of a US dollar; ``preferences.maxPrice`` is for finer limits.
_MAX_PRICE = 10_000


def node_sdl(spec: NodeSpec, image: str, environment: str, generation: int) -> str:
    """Return a Banano node with its RPC on 7072 (without control), peering on 7071 and WebSocket on 7074.

    Args:
        spec: What is wanted.
        image: The installation's image, where ``spec`` names none.
        environment: Name of the environment.
        generation: The stack's generation.
    """
    service = {
        "image": spec.image or image,
        "command": ["/bin/sh", "-c"],
        "args": [f"exec /usr/bin/entry.sh bananode daemon -l {' '.join(_NODE_OPTIONS)}"],
        "env": _env(spec.env, environment, generation),
        "expose": [_tcp(port, port) for port in (RPC_PORT, PEERING_PORT, WEBSOCKET_PORT)],
        "params": {"storage": {"ledger": {"mount": _LEDGER, "readOnly": False}}},
    }
    volumes: list[dict[str, Any]] = [
        {"size": spec.resources.storage},
        {"name": "ledger", "size": spec.resources.data, "attributes": {"persistent": True, "class": "beta3"}},
    ]
    return _document(NODE_SERVICE, service, spec.resources.cpu, spec.resources.memory, volumes)


def api_sdl(spec: ApiSpec, image: str, environment: str, generation: int, endpoint: Endpoint) -> str:
    """Return the API service: its port 8000 on port 80, and the node's endpoint in BANANO_RPC_ENDPOINT.

    Args:
        spec: What is wanted.
        image: The installation's image, where ``spec`` names none.
        environment: Name of the environment.
        generation: The stack's generation.
        endpoint: Where the node's RPC is.
    """
    service = {
        "image": spec.image or image,
        "env": [f"BANANO_RPC_ENDPOINT={endpoint}", *_env(spec.env, environment, generation)],
        "expose": [_tcp(API_PORT, 80)],
    }
    volumes: list[dict[str, Any]] = [{"size": spec.resources.storage}]
    return _document(API_SERVICE, service, spec.resources.cpu, spec.resources.memory, volumes)


def _env(variables: dict[str, str], environment: str, generation: int) -> list[str]:
    given = [f"{name}={value}" for name, value in sorted(variables.items())]
    return [*given, f"SLIPWAY_ENVIRONMENT={environment}", f"SLIPWAY_GENERATION={generation}"]


def _tcp(port: int, external: int) -> dict[str, Any]:
    return {"port": port, "as": external, "proto": "tcp", "to": [{"global": True}]}


def _document(name: str, service: dict[str, Any], cpu: str, memory: str, volumes: list[dict[str, Any]]) -> str:
    resources = {"cpu": {"units": cpu}, "memory": {"size": memory}, "storage": volumes}
    document = {
        "version": "2.0",
        "services": {name: service},
        "profiles": {
            "compute": {name: {"resources": resources}},
            "placement": {_PLACEMENT: {"pricing": {name: {"denom": "uact", "amount": _MAX_PRICE}}}},
        },
        "deployment": {name: {_PLACEMENT: {"profile": name, "count": 1}}},
    }
    # JSON is YAML.
    return json.dumps(document, ensure_ascii=False)


def lease_can_stay(old: str, new: str) -> bool:
    """Whether a lease of one of these SDLs can run another.

    A lease is for resources, ports and a price, which its provider compares with the manifest; image, command and
    variables may change.
    """
    return bool(_leased_part(old) == _leased_part(new))


def _leased_part(text: str) -> Any:
    document = json.loads(text)
    services = {
        name: {key: service[key] for key in ("expose", "params") if key in service}
        for name, service in document["services"].items()
    }
    return {"services": services, "profiles": document["profiles"], "deployment": document["deployment"]}
