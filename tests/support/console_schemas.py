"""JSON schemas of the Console API's answers, as small as its published document allows."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
DSEQ: Schema = {"type": "string", "pattern": r"^\d+$"}


def table(optional: Schema | None = None, **required: Schema) -> Schema:
    """Return an object with these members and perhaps others."""
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def many(entry: Schema) -> Schema:
    """Return an array."""
    return {"type": "array", "items": entry}


def by_name(entry: Schema) -> Schema:
    """Return an object whose every member is of one shape."""
    return {"type": "object", "additionalProperties": entry}


def or_null(schema: Schema) -> Schema:
    """Return the same, or nothing."""
    return {"anyOf": [schema, {"type": "null"}]}


def _strings(*names: str) -> dict[str, Schema]:
    return dict.fromkeys(names, STRING)


def _numbers(*names: str) -> dict[str, Schema]:
    return dict.fromkeys(names, NUMBER)


def _nullable_strings(*names: str) -> dict[str, Schema]:
    return dict.fromkeys(names, or_null(STRING))


COIN = table(denom=STRING, amount={"type": "string", "pattern": r"^\d+(\.\d+)?$"})
ATTRIBUTES = many(table(key=STRING, value=STRING))
ESCROW_ACCOUNT = table(
    id=table(scope=STRING, xid=STRING),
    state=table(
        owner=STRING,
        state=STRING,
        transferred=many(COIN),
        settled_at=STRING,
        funds=many(COIN),
        deposits=many(table(owner=STRING, height=STRING, source=STRING, balance=COIN)),
    ),
)
LEASE_ID = table(owner=STRING, dseq=DSEQ, gseq=NUMBER, oseq=NUMBER, provider=STRING, bseq=NUMBER)
STATUS = table(
    services=by_name(
        table(
            **_strings("name"),
            uris=many(STRING),
            **_numbers(
                "available", "total", "observed_generation", "replicas", "updated_replicas", "ready_replicas",
                "available_replicas",
            ),
        )
    ),
    forwarded_ports=by_name(many(table({"host": STRING}, port=NUMBER, externalPort=NUMBER))),
    ips=by_name(many(table(IP=STRING, Port=NUMBER, ExternalPort=NUMBER, Protocol=STRING))),
)  # fmt: skip
_LEASE = {"id": LEASE_ID, "state": STRING, "price": COIN, "created_at": STRING, "closed_on": STRING}
_RECORD = table(id=table(owner=STRING, dseq=DSEQ), state=STRING, hash=STRING, created_at=STRING)
DETAIL = table(
    deployment=_RECORD,
    leases=many(table({"reason": STRING}, **_LEASE, status=or_null(STATUS))),
    escrow_account=ESCROW_ACCOUNT,
)
LISTED = table(deployment=_RECORD, leases=many(table({"reason": STRING}, **_LEASE)), escrow_account=ESCROW_ACCOUNT)
_UNITS = table(units=table(val=STRING), attributes=ATTRIBUTES)
_QUANTITY = table(quantity=table(val=STRING), attributes=ATTRIBUTES)
_RESOURCES = {
    "cpu": _UNITS,
    "gpu": _UNITS,
    "memory": _QUANTITY,
    "storage": many(table(name=STRING, quantity=table(val=STRING), attributes=ATTRIBUTES)),
    "endpoints": many(table(kind=STRING, sequence_number=NUMBER)),
}
BID = table(
    bid=table(
        id=LEASE_ID,
        state=STRING,
        price=COIN,
        created_at=STRING,
        resources_offer=many(table(resources=table(**_RESOURCES), count=NUMBER)),
    ),
    escrow_account=ESCROW_ACCOUNT,
)
_CAPACITY = table(**_numbers("active", "available", "pending"))
_PROVIDER = {
    **_strings("owner", "hostUri", "cosmosSdkVersion", "akashVersion"),
    **_numbers("createdHeight", "networkSpeedDown", "networkSpeedUp"),
    **_nullable_strings(
        "name", "ipRegion", "ipRegionCode", "ipCountry", "ipCountryCode", "ipLat", "ipLon", "lastOnlineDate", "host",
        "organization", "statusPage", "locationRegion", "country", "city", "timezone", "locationType",
        "hostingProvider", "hardwareCpu", "hardwareCpuArch", "hardwareGpuVendor", "hardwareMemory", "networkProvider",
        "tier",
    ),
    **dict.fromkeys(("uptime1d", "uptime7d", "uptime30d"), or_null(NUMBER)),
    **dict.fromkeys(
        (
            "isValidVersion", "isOnline", "isAudited", "featPersistentStorage", "featEndpointCustomDomain",
            "workloadSupportChia", "featEndpointIp",
        ),
        BOOLEAN,
    ),
    **dict.fromkeys(
        ("hardwareGpuModels", "hardwareDisk", "featPersistentStorageType", "workloadSupportChiaCapabilities"),
        or_null(many(STRING)),
    ),
    "gpuModels": many(table(**_strings("vendor", "model", "ram", "interface"))),
    "attributes": many(table(key=STRING, value=STRING, auditedBy=many(STRING))),
    "stats": table(
        cpu=_CAPACITY, gpu=_CAPACITY, memory=_CAPACITY, storage=table(ephemeral=_CAPACITY, persistent=_CAPACITY)
    ),
}  # fmt: skip
_AVAILABILITY = table(total=NUMBER, available=NUMBER)
_ESTIMATE = table(spec=table(**_numbers("cpu", "memory", "storage")), **_numbers("akash", "aws", "gcp", "azure"))
ERROR = table(
    {"data": {}},
    error=STRING,
    message=STRING,
    code=STRING,
    type={"enum": ["client_error", "server_error", "validation_error"]},
)

# By method, route and status, as the published document names them.
ANSWERS: dict[tuple[str, str, int], Schema] = {
    ("POST", "/v1/deployments", 201): table(
        data=table(dseq=DSEQ, manifest=STRING, signTx=table(code=NUMBER, transactionHash=STRING, rawLog=STRING))
    ),
    ("GET", "/v1/deployments", 200): table(
        data=table(
            deployments=many(LISTED),
            pagination=table(**_numbers("total", "skip", "limit"), hasMore=BOOLEAN),
        )
    ),
    ("GET", "/v1/deployments/{dseq}", 200): table(data=DETAIL),
    ("PUT", "/v1/deployments/{dseq}", 200): table(data=DETAIL),
    ("DELETE", "/v1/deployments/{dseq}", 200): table(data=table(success=BOOLEAN)),
    ("POST", "/v1/deposit-deployment", 200): table(data=DETAIL),
    ("POST", "/v1/leases", 200): table(data=DETAIL),
    ("GET", "/v1/bids", 200): table(data=many(BID)),
    ("GET", "/v1/balances", 200): table(data=table(**_numbers("balance", "deployments", "total"))),
    ("POST", "/v1/create-jwt-token", 201): table(data=table(token=STRING)),
    ("GET", "/v1/providers", 200): many(table(**_PROVIDER)),
    ("GET", "/v1/gpu-prices", 200): table(
        availability=_AVAILABILITY,
        models=many(
            table(
                **_strings("vendor", "model", "ram", "interface"),
                availability=_AVAILABILITY,
                providerAvailability=_AVAILABILITY,
                price=or_null(table(currency=STRING, **_numbers("min", "max", "avg", "weightedAverage", "med"))),
            )
        ),
    ),
    ("POST", "/v1/pricing", 200): {"anyOf": [_ESTIMATE, many(_ESTIMATE)]},
}
