"""How the API writes what the market knows; every shape is the published OpenAPI document's."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

from local.console_api.market import DOLLAR, Bid, Deployment, Lease, Market, forwarded
from local.console_api.providers import GIB, GpuModel, SimulatedProvider
from local.console_api.sdl import AUDITOR, GRANT_DENOMINATION, Group, Service, resource_unit

_VERSION = "v0.10.5"


def coin(amount: Decimal) -> dict[str, str]:
    """Write an amount as the chain does, with 18 places."""
    return {"denom": GRANT_DENOMINATION, "amount": f"{amount:.18f}"}


# ── Deployments ─────────────────────────────────────────────────────────────────────────────────


def deployment_answer(market: Market, deployment: Deployment, *, with_status: bool) -> dict[str, Any]:
    """Return a deployment with its leases and its escrow account."""
    return {
        "deployment": _record(market, deployment),
        "leases": [_lease(market, deployment, lease, with_status=with_status) for lease in deployment.leases],
        "escrow_account": _escrow_account(market, deployment),
    }


def _record(market: Market, deployment: Deployment) -> dict[str, Any]:
    return {
        "id": {"owner": deployment.account.address, "dseq": deployment.dseq},
        "state": "active" if deployment.is_active else "closed",
        "hash": deployment.workload.hash,
        "created_at": str(market.clock.height(deployment.created_at)),
    }


def _lease_id(deployment: Deployment, bid: Bid) -> dict[str, Any]:
    return {
        "owner": deployment.account.address,
        "dseq": deployment.dseq,
        "gseq": bid.gseq,
        "oseq": 1,
        "provider": bid.provider.address,
        "bseq": 0,
    }


def lease_state(market: Market, deployment: Deployment, lease: Lease) -> str:
    """Return ``active``, ``insufficient_funds`` or ``closed``."""
    if lease.closed_at is not None:
        return "closed"
    return "insufficient_funds" if market.is_overdrawn(deployment) else "active"


def _lease(market: Market, deployment: Deployment, lease: Lease, *, with_status: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": _lease_id(deployment, lease.bid),
        "state": lease_state(market, deployment, lease),
        "price": coin(lease.bid.price),
        "created_at": str(market.clock.height(lease.created_at)),
        "closed_on": "0" if lease.closed_at is None else str(market.clock.height(lease.closed_at)),
    }
    if lease.reason:
        answer["reason"] = lease.reason
    if with_status:
        answer["status"] = status_answer(market, deployment, lease)
    return answer


def status_answer(market: Market, deployment: Deployment, lease: Lease) -> dict[str, Any] | None:
    """Return what the provider reports of a lease, None while it reports nothing."""
    if not market.is_heard(deployment, lease):
        return None
    group = deployment.group(lease.bid.gseq)
    wanted = market.effective(deployment.scenario).ports
    ready = market.is_ready(deployment, lease)
    status: dict[str, Any] = {
        "services": {
            service.name: _service_status(lease, service, deployment.dseq, ready) for service in group.services
        },
        "forwarded_ports": {},
        "ips": {},
    }
    if wanted.kind == "null":
        for service_status in status["services"].values():
            service_status["uris"] = None
        return status | {"forwarded_ports": None, "ips": None}
    if wanted.kind == "empty":
        return status
    for service, expose in forwarded(group):
        external = lease.node_ports[service.name, expose.port, expose.proto]
        entry: dict[str, Any] = {
            "host": wanted.host or ("127.0.0.1" if market.served(deployment) else lease.provider.host),
            "port": expose.port,
            "externalPort": external,
            "proto": expose.proto,
            "name": service.name,
        }
        entries = [entry]
        if wanted.kind == "no_host":
            del entry["host"]
        if wanted.kind == "two_candidates":
            entries.append({**entry, "externalPort": external - 1 if external > 30000 else external + 1})
        status["forwarded_ports"].setdefault(service.name, []).extend(entries)
    return status


def _service_status(lease: Lease, service: Service, dseq: str, ready: bool) -> dict[str, Any]:
    running = service.count if ready else 0
    name = hashlib.sha256(f"{dseq}/{lease.bid.gseq}/{service.name}".encode()).hexdigest()[:20]
    hosts = [
        host
        for expose in service.exposes
        if expose.is_ingress
        for host in (*expose.hosts, f"{name}.ingress.{lease.provider.name}.test")
    ]
    return {
        "name": service.name,
        "available": running,
        "total": service.count,
        "uris": hosts,
        "observed_generation": lease.generation,
        "replicas": service.count,
        "updated_replicas": service.count,
        "ready_replicas": running,
        "available_replicas": running,
    }


def _escrow_account(market: Market, deployment: Deployment) -> dict[str, Any]:
    escrow = market.escrow(deployment)
    owner = deployment.account.address
    state = "closed" if not deployment.is_active else "overdrawn" if market.is_overdrawn(deployment) else "open"
    settled = market.clock.now() if deployment.closed_at is None else deployment.closed_at
    height = str(market.clock.height(deployment.created_at))
    return {
        "id": {"scope": "deployment", "xid": f"{owner}/{deployment.dseq}"},
        "state": {
            "owner": owner,
            "state": state,
            "transferred": [coin(escrow.spent)],
            "settled_at": str(market.clock.height(settled)),
            "funds": [coin(escrow.left if deployment.is_active else Decimal(0))],
            "deposits": [{"owner": owner, "height": height, "source": "grant", "balance": coin(deployment.deposit)}],
        },
    }


def transaction_hash(seed: str) -> str:
    """Make a hash in the form of the chain's."""
    return hashlib.sha256(seed.encode()).hexdigest().upper()


# ── Bids ────────────────────────────────────────────────────────────────────────────────────────


def bid_answer(market: Market, deployment: Deployment, bid: Bid, state: str) -> dict[str, Any]:
    """Return one bid with the provider's own deposit for it."""
    provider = bid.provider.address
    height = str(market.clock.height(bid.made_at))
    return {
        "bid": {
            "id": _lease_id(deployment, bid),
            "state": state,
            "price": coin(bid.price),
            "created_at": height,
            "resources_offer": _offer(deployment.group(bid.gseq)),
        },
        "escrow_account": {
            "id": {"scope": "bid", "xid": f"{deployment.account.address}/{deployment.dseq}/{bid.gseq}/1/{provider}"},
            "state": {
                "owner": provider,
                "state": "open" if state in ("open", "active") else "closed",
                "transferred": [coin(Decimal(0))],
                "settled_at": height,
                "funds": [coin(Decimal(DOLLAR) / 2)],
                "deposits": [
                    {
                        "owner": provider,
                        "height": height,
                        "source": "balance",
                        "balance": coin(Decimal(DOLLAR) / 2),
                    }
                ],
            },
        },
    }


def _offer(group: Group) -> list[dict[str, Any]]:
    offer = []
    for index, service in enumerate(group.services, 1):
        unit = resource_unit(index, service)
        parts = {key: unit[key] for key in ("cpu", "gpu", "memory", "storage", "endpoints")}
        offer.append({"resources": parts, "count": service.count})
    return offer


# ── Providers and prices ────────────────────────────────────────────────────────────────────────


def provider_answer(market: Market, provider: SimulatedProvider) -> dict[str, Any]:
    """Return one provider."""
    leases = [
        lease
        for deployment in market.everything()
        for lease in deployment.leases
        if lease.provider.address == provider.address
    ]
    active = [lease for lease in leases if lease.closed_at is None]
    checked = market.clock.text(market.clock.now())
    return {
        "owner": provider.address,
        "name": provider.host,
        "hostUri": provider.host_uri,
        "createdHeight": 12_345_678,
        "email": f"operator@{provider.name}.test",
        "website": f"https://{provider.name}.test",
        "lastCheckDate": checked,
        "deploymentCount": len(active),
        "leaseCount": len(active),
        "cosmosSdkVersion": "v0.53.4",
        "akashVersion": _VERSION,
        **_place(provider),
        "uptime1d": provider.uptime[0],
        "uptime7d": provider.uptime[1],
        "uptime30d": provider.uptime[2],
        "isValidVersion": True,
        "isOnline": provider.online,
        "lastOnlineDate": checked if provider.online else None,
        "isAudited": provider.audited,
        "stats": _stats(provider, len(active)),
        "gpuModels": [_gpu(gpu) for gpu in provider.gpus],
        "attributes": [
            {"key": key, "value": value, "auditedBy": [AUDITOR] if provider.audited else []}
            for key, value in provider.all_attributes.items()
        ],
        "hardwareGpuVendor": provider.gpus[0].vendor if provider.gpus else None,
        "hardwareGpuModels": [gpu.model for gpu in provider.gpus],
        "hardwareCpu": "amd",
        "hardwareCpuArch": "x86-64",
        "hardwareDisk": ["nvme"],
        "hardwareMemory": "ddr5",
        "featPersistentStorage": True,
        "featPersistentStorageType": ["beta3"],
        "featEndpointCustomDomain": True,
        "featEndpointIp": False,
        "networkProvider": "transit",
        "networkSpeedDown": 10_000,
        "networkSpeedUp": 10_000,
        "workloadSupportChia": False,
        "workloadSupportChiaCapabilities": [],
    }


def _place(provider: SimulatedProvider) -> dict[str, Any]:
    return {
        "ipRegion": provider.city,
        "ipRegionCode": provider.city[:2].upper(),
        "ipCountry": provider.country,
        "ipCountryCode": provider.country_code,
        "ipLat": "50.1",
        "ipLon": "8.6",
        "host": "akash",
        "organization": provider.name,
        "statusPage": None,
        "locationRegion": provider.region,
        "country": provider.country_code,
        "city": provider.city,
        "timezone": "UTC+0",
        "locationType": "datacenter",
        "hostingProvider": provider.name,
        "tier": provider.tier,
    }


def _gpu(gpu: GpuModel) -> dict[str, str]:
    return {"vendor": gpu.vendor, "model": gpu.model, "ram": gpu.ram, "interface": gpu.interface}


def _stats(provider: SimulatedProvider, leases: int) -> dict[str, Any]:
    def part(total: int, used: int) -> dict[str, int]:
        used = min(used, total)
        return {"active": used, "available": total - used, "pending": 0, "total": total}

    storage = part(provider.storage_gib * GIB, leases * GIB)
    return {
        "cpu": part(provider.cores * 1000, leases * 1000),
        "gpu": part(sum(gpu.count for gpu in provider.gpus), 0),
        "memory": part(provider.memory_gib * GIB, leases * GIB),
        "storage": {"ephemeral": storage, "persistent": part(provider.storage_gib * GIB, 0), "total": storage},
    }


def gpu_prices_answer(market: Market) -> dict[str, Any]:
    """Return what GPUs cost at the providers that are online."""
    offers: dict[tuple[str, str, str, str], list[tuple[GpuModel, SimulatedProvider]]] = {}
    for provider in market.providers.values():
        for gpu in provider.gpus:
            offers.setdefault((gpu.vendor, gpu.model, gpu.ram, gpu.interface), []).append((gpu, provider))
    models: list[dict[str, Any]] = []
    for (vendor, model, ram, interface), found in sorted(offers.items()):
        online = [gpu for gpu, provider in found if provider.online]
        models.append(
            {
                "vendor": vendor,
                "model": model,
                "ram": ram,
                "interface": interface,
                "availability": {
                    "total": sum(gpu.count for gpu, _ in found),
                    "available": sum(gpu.count for gpu in online),
                },
                "providerAvailability": {"total": len(found), "available": len(online)},
                "price": _prices(online),
            }
        )
    return {
        "availability": {
            "total": sum(model["availability"]["total"] for model in models),
            "available": sum(model["availability"]["available"] for model in models),
        },
        "models": models,
    }


def _prices(online: list[GpuModel]) -> dict[str, Any] | None:
    if not online:
        return None
    dollars = sorted(gpu.dollars for gpu in online)
    weighted = sum((gpu.dollars * gpu.count for gpu in online), Decimal(0)) / sum(gpu.count for gpu in online)
    return {
        "currency": "USD",
        "min": float(dollars[0]),
        "max": float(dollars[-1]),
        "avg": float(round(sum(dollars, Decimal(0)) / len(dollars), 2)),
        "weightedAverage": float(round(weighted, 2)),
        "med": float(dollars[len(dollars) // 2]),
    }
