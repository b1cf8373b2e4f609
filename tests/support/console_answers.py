"""Answers of the Console API, whole, in the shapes that its document names."""

from typing import Any

DSEQ = "1763710000123"
OWNER = "akash1owner0000000000000000000000000000000000"
PROVIDER_ADDRESS = "akash1provider00000000000000000000000000000000"

LEASE_ID: dict[str, Any] = {
    "owner": OWNER,
    "dseq": DSEQ,
    "gseq": 1,
    "oseq": 1,
    "provider": PROVIDER_ADDRESS,
    "bseq": 0,
}

ESCROW: dict[str, Any] = {
    "id": {"scope": "deployment", "xid": f"{OWNER}/{DSEQ}"},
    "state": {
        "owner": OWNER,
        "state": "open",
        "transferred": [{"denom": "uact", "amount": "12.500000000000000001"}],
        "settled_at": "21000100",
        "funds": [{"denom": "uact", "amount": "499987.499999999999999999"}],
        "deposits": [
            {
                "owner": OWNER,
                "height": "21000000",
                "source": "grant",
                "balance": {"denom": "uact", "amount": "500000.000000000000000000"},
            }
        ],
    },
}

STATUS: dict[str, Any] = {
    "services": {
        "web": {
            "name": "web",
            "available": 1,
            "total": 1,
            "uris": ["abc.ingress.provider.test"],
            "observed_generation": 1,
            "replicas": 1,
            "updated_replicas": 1,
            "ready_replicas": 1,
            "available_replicas": 1,
        }
    },
    "forwarded_ports": {
        "web": [{"host": "provider.test", "port": 7072, "externalPort": 31234, "proto": "TCP", "name": "web"}]
    },
    "ips": {"web": [{"IP": "203.0.113.9", "Port": 7072, "ExternalPort": 7072, "Protocol": "TCP"}]},
}

LEASE: dict[str, Any] = {
    "id": LEASE_ID,
    "state": "active",
    "price": {"denom": "uact", "amount": "1.250000000000000000"},
    "created_at": "21000010",
    "closed_on": "0",
    "reason": "lease_closed_invalid",
    "status": STATUS,
}

DEPLOYMENT: dict[str, Any] = {
    "deployment": {
        "id": {"owner": OWNER, "dseq": DSEQ},
        "state": "active",
        "hash": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "created_at": "21000000",
    },
    "leases": [LEASE],
    "escrow_account": ESCROW,
}

BID: dict[str, Any] = {
    "bid": {
        "id": LEASE_ID,
        "state": "open",
        "price": {"denom": "uact", "amount": "1.250000000000000000"},
        "created_at": "21000005",
        "resources_offer": [],
    },
    "escrow_account": ESCROW,
}

PROVIDER: dict[str, Any] = {
    "owner": PROVIDER_ADDRESS,
    "name": "provider.test",
    "hostUri": "https://provider.test:8443",
    "createdHeight": 1,
    "email": None,
    "uptime1d": 1,
    "uptime7d": 0.995,
    "uptime30d": None,
    "isValidVersion": True,
    "isOnline": True,
    "isAudited": True,
    "ipRegion": "Bavaria",
    "ipRegionCode": "BY",
    "ipCountry": "Germany",
    "ipCountryCode": "DE",
    "locationRegion": "eu-central",
    "gpuModels": [{"vendor": "nvidia", "model": "a100", "ram": "80Gi", "interface": "SXM4"}],
    "hardwareGpuModels": None,
    "stats": {
        "cpu": {"active": 1, "available": 2, "pending": 0, "total": 3},
        "gpu": {"active": 0, "available": 8, "pending": 0, "total": 8},
        "memory": {"active": 1, "available": 2, "pending": 0, "total": 3},
        "storage": {
            "ephemeral": {"active": 1, "available": 2, "pending": 0, "total": 3},
            "persistent": {"active": 1, "available": 2, "pending": 0, "total": 3},
            "total": {"active": 2, "available": 4, "pending": 0, "total": 6},
        },
    },
    "attributes": [{"key": "region", "value": "eu-central", "auditedBy": ["akash1auditor"]}],
    "uptime": [{"id": "1", "isOnline": True, "checkDate": "2026-11-21T00:00:00.000Z"}],
}
