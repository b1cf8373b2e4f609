"""Settings that the template hands to the functions, as small groups that each caller composes.

No other module of the library or the functions reads the environment. A group that takes work to read is read once and
is immutable. A missing or malformed variable is a deployment mistake, so it raises at the first use instead of being
papered over with a default. Every function imports this module, so it imports next to nothing itself.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    pass

Table = Literal["jobs", "control", "workers", "projects"]
StateMachine = Literal["token_deploy", "akash_deploy", "build", "stack_node", "stack_api"]

# Anyone who can verify with a symmetric algorithm can sign with it as well.
_ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES256K", "ES384", "ES512", "EdDSA"}
)


def _list(name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in os.environ.get(name, "").split(",") if part.strip())


def audit_days() -> int:
    """Return AUDIT_DAYS: how long rows of the audit trail are kept, by default 400 days."""
    return int(os.environ.get("AUDIT_DAYS") or 400)


def name_of_table(table: Table) -> str:
    """Return a table's name from JOBS_TABLE and so on; without one, the table's own name."""
    return os.environ.get(f"{table.upper()}_TABLE", table)


def is_table_named(table: Table) -> bool:
    """Return whether the environment names a table: operators' commands may run where there is none."""
    return f"{table.upper()}_TABLE" in os.environ


def state_machine_arn(name: StateMachine) -> str:
    """Return a state machine's ARN from TOKEN_DEPLOY_ARN and so on."""
    return os.environ[f"{name.upper()}_ARN"]


def metrics_namespace() -> str:
    """Return the CloudWatch namespace of all metrics, from POWERTOOLS_METRICS_NAMESPACE."""
    return os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Slipway")


def service_name() -> str:
    """Return the value of the metrics' dimension ``service``, from POWERTOOLS_SERVICE_NAME."""
    return os.environ.get("POWERTOOLS_SERVICE_NAME", "slipway")


def administrator_private_key() -> str:
    """Return ADMINISTRATOR_PRIVATE_KEY, which the commands that install contracts take; empty when it is not set."""
    return os.environ.get("ADMINISTRATOR_PRIVATE_KEY", "")


def artifact_bucket() -> str:
    """Return ARTIFACT_BUCKET: the bucket of published endpoints and of what builds make."""
    return os.environ["ARTIFACT_BUCKET"]


def artifact_key_id() -> str:
    """Return ARTIFACT_KEY_ID: the KMS key that signs published endpoints."""
    return os.environ["ARTIFACT_KEY_ID"]


def builds_function() -> str:
    """Return BUILDS_FUNCTION: the function that answers for builds."""
    return os.environ["BUILDS_FUNCTION"]


def sdl_key_id() -> str:
    """Return SDL_KEY_ID: the KMS key under which SDLs and manifests are encrypted."""
    return os.environ["SDL_KEY_ID"]


def build_replay_function() -> str:
    """Return BUILD_REPLAY_FUNCTION: the function that delivers a build's events to one client."""
    return os.environ["BUILD_REPLAY_FUNCTION"]


def stream_url(build_id: str) -> str | None:
    """Return the address of a build's stream: STREAM_URL with the id for ``{build_id}``; None without a stream."""
    pattern = os.environ.get("STREAM_URL")
    return pattern.replace("{build_id}", build_id) if pattern else None


def mlflow_tracking() -> tuple[str, str | None] | None:
    """Return MLFLOW_TRACKING_URI and MLFLOW_TOKEN_SECRET_ARN; None without an MLflow server."""
    address = os.environ.get("MLFLOW_TRACKING_URI")
    return (address, os.environ.get("MLFLOW_TOKEN_SECRET_ARN") or None) if address else None


def sourcify_address() -> str | None:
    """Return SOURCIFY_URL: the Sourcify server that verifies sources; None for none."""
    return os.environ.get("SOURCIFY_URL") or None


def explorer_keys_secret() -> str | None:
    """Return EXPLORER_KEYS_SECRET_ARN: the secret with the explorers' API keys, JSON by chain id; None without one."""
    return os.environ.get("EXPLORER_KEYS_SECRET_ARN") or None


def allow_private_network() -> bool:
    """Return whether outgoing addresses may be loopback or private (ALLOW_PRIVATE_NETWORK); true in the local build
    only."""
    return os.environ.get("ALLOW_PRIVATE_NETWORK") == "true"


def webhook_private_network() -> bool:
    """Return whether webhooks may lead to private addresses (WEBHOOK_PRIVATE_NETWORK); true in the local build only."""
    return os.environ.get("WEBHOOK_PRIVATE_NETWORK") == "true"


def webhook_key_secret() -> str:
    """Return WEBHOOK_KEY_SECRET_ARN: the secret under which webhooks' secrets are encrypted."""
    return os.environ["WEBHOOK_KEY_SECRET_ARN"]


def notification_sender() -> str | None:
    """Return NOTIFICATION_SENDER: the address that e-mails come from; None where none are sent."""
    return os.environ.get("NOTIFICATION_SENDER") or None


def notification_queue() -> str:
    """Return the address of the queue of notifications, NOTIFICATION_QUEUE_URL."""
    return os.environ["NOTIFICATION_QUEUE_URL"]


def edge_secret_hashes() -> frozenset[str]:
    """Return EDGE_SECRET_HASHES: SHA-256, in hexadecimal, of what the distribution sends; empty where all may call."""
    return frozenset(filter(None, os.environ.get("EDGE_SECRET_HASHES", "").split(",")))


def public_url() -> str | None:
    """Return PUBLIC_URL: Slipway's own address, without a slash at its end; None for API Gateway's."""
    return os.environ.get("PUBLIC_URL", "").rstrip("/") or None


def library_path() -> dict[str, str]:
    """Return LD_LIBRARY_PATH where it is set: Lambda's Python finds its own library by it, a child process too."""
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}


def token_chain_id() -> int:
    """Return TOKEN_CHAIN_ID: the chain on which model tokens are launched."""
    return int(os.environ["TOKEN_CHAIN_ID"])


def document_source(variable: str) -> tuple[str | None, str | None]:
    """Return where a document is that may be longer than an environment holds: its text in the variable itself, or
    else the ARN of its secret in ``<variable>_SECRET_ARN``."""
    return os.environ.get(variable), os.environ.get(f"{variable}_SECRET_ARN")


@dataclass(frozen=True)
class OidcSettings:
    """An external OpenID Connect provider whose tokens are accepted.

    Attributes:
        issuer: What its tokens name as ``iss``.
        jwks_url: Where its keys are.
        audience: What its tokens must name as ``aud``.
        algorithms: Asymmetric ones.
        claims: What the issuer calls ``wallet``, ``roles`` and ``tier``.
        roles: Which roles it may grant; none by default.
        tiers: Which tiers it may grant; none by default.
        trusts_wallets: Whether its wallet claims count although the wallet has not signed; not by default.
        clients: Clients (``azp`` or ``client_id``) whose tokens need no ``aud``; none by default.
    """

    issuer: str
    jwks_url: str
    audience: str
    algorithms: tuple[str, ...]
    claims: dict[str, str]
    roles: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    trusts_wallets: bool = False
    clients: frozenset[str] = frozenset()


@dataclass(frozen=True)
class IdentitySettings:
    """Who may sign in, and whose tokens are accepted."""

    key_id: str
    issuer: str
    audience: str
    sign_in_domains: tuple[str, ...]
    oidc: OidcSettings | None


@cache
def identity_settings() -> IdentitySettings:
    """Read the identity variables of the template; raises ValueError for an algorithm that is not asymmetric."""
    oidc = None
    if issuer := os.environ.get("OIDC_ISSUER"):
        algorithms = _list("OIDC_ALGORITHMS")
        if not algorithms or not _ASYMMETRIC.issuperset(algorithms):
            raise ValueError("OIDC_ALGORITHMS must name asymmetric signature algorithms")
        grants = json.loads(os.environ.get("OIDC_GRANTS") or "{}")
        unknown = grants.keys() - {"roles", "tiers", "wallets", "clients"}
        if unknown:
            raise ValueError(f"OIDC_GRANTS has unknown fields: {', '.join(sorted(unknown))}")
        oidc = OidcSettings(
            issuer=issuer,
            jwks_url=os.environ.get("OIDC_JWKS_URL") or issuer.rstrip("/") + "/.well-known/jwks.json",
            audience=os.environ["OIDC_AUDIENCE"],
            algorithms=algorithms,
            claims=json.loads(os.environ["OIDC_CLAIMS"]),
            roles=frozenset(grants.get("roles", ())),
            tiers=frozenset(grants.get("tiers", ())),
            trusts_wallets=grants.get("wallets") is True,
            clients=frozenset(grants.get("clients", ())),
        )
    return IdentitySettings(
        key_id=os.environ["IDENTITY_KEY_ID"],
        issuer=os.environ["TOKEN_ISSUER"],
        audience=os.environ["TOKEN_AUDIENCE"],
        sign_in_domains=_list("SIGN_IN_DOMAINS"),
        oidc=oidc,
    )


# Limits of each wallet: the variable that sets one by tier, where there is one, and what holds otherwise.
_LIMITS: dict[str, tuple[str, dict[str, int]]] = {
    "launches": ("LAUNCH_LIMITS", {"hour": 5, "day": 20}),
    "workloads": ("AKASH_LIMITS", {"hour": 60, "day": 300}),
    "builds": ("BUILD_LIMITS", {"hour": 30, "day": 200, "open": 5}),
    "previews": ("", {"minute": 120}),
    "build_hashes": ("", {"hour": 100}),
    "enrolments": ("", {"hour": 20}),
    "projects": ("", {"hour": 60, "day": 300}),
    "payments": ("", {"hour": 120, "day": 1000}),
    "webhooks": ("", {"hour": 60, "day": 300}),
    "webhook_tests": ("", {"hour": 60}),
    "keys": ("", {"hour": 60, "day": 300}),
}


def limit_names() -> dict[str, frozenset[str]]:
    """Return the names of all limits, with the spans that each has: ``minute``, ``hour``, ``day``, ``open``."""
    return {name: frozenset(limit) for name, (_, limit) in _LIMITS.items()}


def limited_tiers() -> list[str]:
    """Return the tiers that the variables name."""
    return sorted({tier for variable, _ in _LIMITS.values() for tier in json.loads(os.environ.get(variable) or "{}")})


@cache
def tier_limit(name: str, tier: str) -> dict[str, int]:
    """Return a limit of a tier, such as ``{"hour": 5, "day": 20}``; unknown tiers get the standard one. Not to change.

    Read from LAUNCH_LIMITS, AKASH_LIMITS and BUILD_LIMITS, which are JSON by tier.
    """
    variable, otherwise = _LIMITS[name]
    by_tier = json.loads(os.environ.get(variable) or "{}")
    entry = by_tier.get(tier) or by_tier.get("standard") or {}
    return {span: int(entry.get(span, most)) for span, most in otherwise.items()}


@cache
def build_mainnets() -> frozenset[str]:
    """Read BUILD_MAINNETS: roles and tiers, separated by commas or as a JSON list, whose builds may go to mainnets."""
    text = os.environ.get("BUILD_MAINNETS", "admin,operator")
    return frozenset(json.loads(text) if text.lstrip().startswith("[") else map(str.strip, text.split(",")))


@dataclass(frozen=True)
class AkashTimeouts:
    """How long things may take for a workload on Akash, in seconds.

    Attributes:
        create: A create's call.
        recover: How long a deployment is looked for after a create without an answer.
        bid_window: From the first bid that will do to the choice.
        bid_timeout: From the creation to a lease.
        lease: From asking for a lease until the provider has the manifest.
        ready: From the lease until every service is available.
        check_interval: Between two checks of an active workload.
        orphan: How old a deployment without a lease and without an owner may be.
    """

    create: float = 30
    recover: float = 45
    bid_window: float = 15
    bid_timeout: float = 300
    lease: float = 240
    ready: float = 900
    check_interval: float = field(default=300, metadata={"variable": "LOOK"})
    orphan: float = 300


def akash_sdl_days() -> int:
    """Read AKASH_SDL_DAYS: how long the SDL of a workload that has ended is kept, by default 30 days."""
    return int(os.environ.get("AKASH_SDL_DAYS") or 30)


@cache
def akash_timeouts() -> AkashTimeouts:
    """Read AKASH_CREATE_SECONDS and so on, one variable for each."""
    return AkashTimeouts(
        **{
            each.name: float(os.environ[f"AKASH_{each.metadata.get('variable', each.name.upper())}_SECONDS"])
            for each in fields(AkashTimeouts)
        }
    )


@dataclass(frozen=True)
class AkashSettings:
    """Whether workloads can be deployed, and what is put into escrow when the caller does not say."""

    is_configured: bool
    default_deposit: Decimal


@cache
def akash_settings() -> AkashSettings:
    """Read AKASH_API_KEY_SECRET_ARN and AKASH_DEFAULT_DEPOSIT."""
    deposit = Decimal(os.environ.get("AKASH_DEFAULT_DEPOSIT") or "5")
    return AkashSettings(bool(os.environ.get("AKASH_API_KEY_SECRET_ARN")), deposit)


@dataclass(frozen=True)
class AkashBudget:
    """Most US dollars that the operator's Akash account puts into workloads.

    Attributes:
        deposit: Of one workload.
        usd_per_hour: Price of one workload's leases.
        open: Of all workloads that are open.
        day: Of all workloads of a day.
        unaudited: Whether callers may name providers that nobody audited.
        others: Further limits by account, ``wallet`` or a tier, and span, ``open`` or ``day``.
    """

    deposit: Decimal
    usd_per_hour: Decimal
    open: Decimal
    day: Decimal
    unaudited: bool = False
    others: tuple[tuple[str, tuple[tuple[str, Decimal], ...]], ...] = ()


@cache
def akash_budget() -> AkashBudget:
    """Read AKASH_BUDGET, JSON; raises ValueError for a field that is unknown."""
    entry = json.loads(os.environ.get("AKASH_BUDGET") or "{}", parse_float=Decimal)
    amounts = {"deposit": 100, "usd_per_hour": 5, "open": 500, "day": 200}
    unknown = entry.keys() - {*amounts, "unaudited", "wallet", "tiers"}
    others = {**entry.get("tiers", {}), **({"wallet": entry["wallet"]} if "wallet" in entry else {})}
    unknown |= {span for limits in others.values() for span in limits} - {"open", "day"}
    if unknown:
        raise ValueError(f"AKASH_BUDGET has unknown fields: {', '.join(sorted(unknown))}")
    return AkashBudget(
        **{name: Decimal(str(entry.get(name, otherwise))) for name, otherwise in amounts.items()},
        unaudited=entry.get("unaudited", False) is True,
        others=tuple(
            (account, tuple((span, Decimal(str(limit))) for span, limit in limits.items()))
            for account, limits in others.items()
        ),
    )


@cache
def pays_by_escrow(tier: str) -> bool:
    """Read AKASH_PAYMENT: JSON of ``escrow`` or ``account`` by tier, or one of them for all; any other tier's wallets
    pay."""
    text = os.environ.get("AKASH_PAYMENT") or "{}"
    by_tier = json.loads(text) if text.lstrip().startswith("{") else {tier: text}
    if wrong := set(by_tier.values()) - {"escrow", "account"}:
        raise ValueError(f"AKASH_PAYMENT is escrow or account, not {', '.join(map(str, wrong))}")
    return bool(by_tier.get(tier, "escrow") == "escrow")


def akash_deposit_seconds() -> float:
    """Return AKASH_DEPOSIT_SECONDS: how long a workload waits for its owner's deposit."""
    return float(os.environ.get("AKASH_DEPOSIT_SECONDS") or 900)


def akash_settle_usd() -> Decimal:
    """Return AKASH_SETTLE_USD: after how many US dollars of cost a running workload's escrow pays them."""
    return Decimal(os.environ.get("AKASH_SETTLE_USD") or "10")


def escrow_payee() -> str:
    """Return ESCROW_PAYEE: who gets what workloads cost; empty for the first deployer account."""
    return os.environ.get("ESCROW_PAYEE", "")


def console_api_address() -> str:
    """Return AKASH_CONSOLE_API_URL."""
    return os.environ["AKASH_CONSOLE_API_URL"]


def console_api_key_secret() -> str:
    """Return AKASH_API_KEY_SECRET_ARN: the secret that holds the Akash account's key."""
    return os.environ["AKASH_API_KEY_SECRET_ARN"]


def provider_proxy_address() -> str:
    """Return AKASH_PROVIDER_PROXY_URL."""
    return os.environ["AKASH_PROVIDER_PROXY_URL"]


def akash_refresh_function() -> str:
    """Return AKASH_REFRESH_FUNCTION: the function that refreshes cached answers of the Console API."""
    return os.environ["AKASH_REFRESH_FUNCTION"]


@dataclass(frozen=True)
class StackSettings:
    """Images that stacks run which name none, US dollars that each deployment gets, and timeouts in seconds.

    Attributes:
        node_image: Of Banano nodes.
        api_image: Of API services.
        deposit: Put into the escrow of a new deployment.
        ready: From an update until every service has to run it.
        check_interval: Between two checks of an active stack.
    """

    node_image: str
    api_image: str
    deposit: Decimal
    ready: float
    check_interval: float


def stack_images() -> tuple[str, str]:
    """Return STACK_NODE_IMAGE and STACK_API_IMAGE, either of which may be empty."""
    return os.environ["STACK_NODE_IMAGE"], os.environ["STACK_API_IMAGE"]


@cache
def stack_settings() -> StackSettings:
    """Read ``stack_images``; the rest is Akash's."""
    node_image, api_image = stack_images()
    return StackSettings(
        node_image=node_image,
        api_image=api_image,
        deposit=akash_settings().default_deposit,
        ready=akash_timeouts().ready,
        check_interval=akash_timeouts().check_interval,
    )


def deployer_key_ids() -> tuple[str, ...]:
    """Return DEPLOYER_KEY_IDS: the KMS ids of the keys that sign transactions."""
    return _list("DEPLOYER_KEY_IDS")


@dataclass(frozen=True)
class BedrockSettings:
    """The language model that writes contracts.

    Attributes:
        model_id: Of a model or an inference profile on Amazon Bedrock.
        seconds: The deadline of one generation or one fix, all tries included.
        input_price: US dollars for a million tokens that the model reads; None where unknown.
        output_price: US dollars for a million tokens that it writes; None where unknown.
    """

    model_id: str
    seconds: float
    input_price: Decimal | None
    output_price: Decimal | None

    @property
    def call_seconds(self) -> float:
        """The longest that one call may take: after one that takes so long, there is time for another."""
        return self.seconds * 0.4


def bedrock_budget() -> Decimal:
    """Return BEDROCK_BUDGET: the most US dollars that the language model's calls may cost in a day."""
    return Decimal(os.environ.get("BEDROCK_BUDGET") or "20")


@cache
def bedrock_settings() -> BedrockSettings | None:
    """Read BEDROCK_MODEL_ID, BEDROCK_SECONDS, BEDROCK_INPUT_PRICE and BEDROCK_OUTPUT_PRICE; None without a model."""
    model_id = os.environ.get("BEDROCK_MODEL_ID")
    if not model_id:
        return None
    prices = [os.environ.get(f"BEDROCK_{side}_PRICE") for side in ("INPUT", "OUTPUT")]
    read, written = (Decimal(price) if price else None for price in prices)
    return BedrockSettings(model_id, float(os.environ.get("BEDROCK_SECONDS") or 240), read, written)
