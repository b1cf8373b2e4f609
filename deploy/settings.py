"""Reads deploy/<name>.toml and judges all of it before anything is sent. Pure, but for reading the file.

Every problem is reported at once, each with its place, such as ``chains[0].rpc_urls``.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from local.source_template import source_template
from slipway.addresses import parse_address
from slipway.chains import read_chains
from slipway.errors import ValidationFailedError

NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
_VARIABLE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")
# What a parameter of CloudFormation holds, in bytes.
MAX_PARAMETER_BYTES = 4096
# Sections of the file that become these parameters themselves.
_OWN = frozenset(
    {"Chains", "TokenChainId", "WalletRoles", "StageName", "Architecture", "AkashApiKeySecretArn",
     "MlflowTokenSecretArn", "ExplorerKeysSecretArn", "DashboardHosting"}
)  # fmt: skip
SECRET_PARAMETERS = {
    "akash_api_key": "AkashApiKeySecretArn",
    "mlflow_token": "MlflowTokenSecretArn",
    "explorer_keys": "ExplorerKeysSecretArn",
}


class SettingsError(Exception):
    """The file can't be used; ``problems`` has a line for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _address(value: str) -> str:
    try:
        return parse_address(value, "address")
    except ValidationFailedError as error:
        raise ValueError(error.message) from error


_Variable = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]
_Address = Annotated[str, AfterValidator(_address)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wallet(_Section):
    """Roles and tier of a known wallet."""

    roles: list[Literal["admin", "operator", "user"]] = []
    tier: str = "standard"


class Secrets(_Section):
    """Environment variables whose values go to Secrets Manager."""

    akash_api_key: _Variable | None = None
    mlflow_token: _Variable | None = None
    explorer_keys: _Variable | None = None


class Contracts(_Section):
    """How Slipway's own contracts are installed on the chain of tokens."""

    administrator: _Variable | None = None
    fund: Decimal = Field(Decimal(0), ge=0)
    escrow_token: _Address | None = None
    escrow_operators: list[_Address] = []


class Dashboard(_Section):
    """Where the dashboard goes."""

    publish: Literal["print", "bucket", "none"] = "print"
    walletconnect_project_id: str = Field("", pattern=r"^[0-9A-Za-z-]*$")
    coinbase_wallet: bool = True


class _File(_Section):
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    architecture: Literal["arm64", "x86_64"] = "arm64"
    stack: str | None = Field(None, pattern=r"^[A-Za-z][A-Za-z0-9-]{0,127}$")
    stage: str | None = Field(None, pattern=rf"^{NAME.pattern}$")
    tags: dict[str, str] = {}
    chains: list[dict[str, Any]] = Field(min_length=1)
    wallets: dict[_Address, Wallet] = {}
    parameters: dict[str, Any] = {}
    secrets: Secrets = Secrets()
    contracts: Contracts = Contracts()
    dashboard: Dashboard = Dashboard()


class Settings(BaseModel):
    """One installation, as its file and the environment describe it.

    Attributes:
        name: Of the file.
        stack: Of the CloudFormation stack.
        chains: As the parameter Chains has them, with what the environment adds.
        parameters: Of the template, as text.
        secret_values: Value by name, of those that the environment has.
        administrator_key: The private key that installs contracts; None to print what to do instead.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    stack: str
    region: str
    architecture: Literal["arm64", "x86_64"]
    tags: dict[str, str]
    chains: list[dict[str, Any]] = Field(repr=False)
    wallets: dict[str, Wallet]
    parameters: dict[str, str]
    secret_values: dict[str, str] = Field(repr=False)
    secrets: Secrets
    contracts: Contracts
    administrator_key: str | None = Field(None, repr=False)
    dashboard: Dashboard

    @property
    def token_chain(self) -> dict[str, Any]:
        """The chain that tokens are launched on."""
        return self.chains[0]


def read(path: Path, environment: Mapping[str, str]) -> Settings:
    """Read a file and what it names of the environment.

    Raises:
        SettingsError: The file is missing or wrong, or the environment lacks something.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError([f"{path} is missing: copy deploy/example.toml there and change it"]) from None
    return parse(path.stem, text, environment)


def parse(name: str, text: str, environment: Mapping[str, str]) -> Settings:
    """Parse the file's text; see ``read``."""
    if not NAME.fullmatch(name):
        raise SettingsError([f"{name}: a name is up to 20 lower-case letters, digits and hyphens"])
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"not TOML: {error}"]) from error
    missing: set[str] = set()
    filled = _filled(given, environment, missing)
    problems = [f"the environment has no {variable}" for variable in sorted(missing)]
    try:
        file = _File.model_validate(filled)
    except ValidationError as error:
        raise SettingsError([*problems, *map(_line, error.errors())]) from error
    problems += [*_chain_problems(file.chains), *_parameter_problems(file.parameters)]
    values, administrator_key = _secret_values(file, environment, problems)
    if problems:
        raise SettingsError(problems)
    return Settings(
        name=name,
        stack=file.stack or f"slipway-{name}",
        region=file.region,
        architecture=file.architecture,
        tags={"slipway:stage": file.stage or name, **file.tags},
        chains=file.chains,
        wallets=file.wallets,
        parameters={
            **{key: _text(value) for key, value in file.parameters.items()},
            "StageName": file.stage or name,
            "Architecture": file.architecture,
            "TokenChainId": str(file.chains[0]["chain_id"]),
            "DashboardHosting": "bucket" if file.dashboard.publish == "bucket" else "none",
        },
        secret_values=values,
        secrets=file.secrets,
        contracts=file.contracts,
        administrator_key=administrator_key,
        dashboard=file.dashboard,
    )


def _filled(value: Any, environment: Mapping[str, str], missing: set[str]) -> Any:
    """Return a value with each ``${NAME}`` replaced by the environment's; collect the names that it lacks."""
    if isinstance(value, dict):
        return {key: _filled(entry, environment, missing) for key, entry in value.items()}
    if isinstance(value, list):
        return [_filled(entry, environment, missing) for entry in value]
    if not isinstance(value, str):
        return value
    names = set(_VARIABLE.findall(value))
    missing |= {name for name in names if not environment.get(name)}
    return _VARIABLE.sub(lambda found: environment.get(found[1]) or found[0], value)


def _line(error: Any) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    return f"{place}: {error['msg'].removeprefix('Value error, ')}"


def _chain_problems(chains: list[dict[str, Any]]) -> list[str]:
    problems = []
    for position, chain in enumerate(chains):
        try:
            read_chains([chain])
        except (KeyError, ValueError, TypeError) as error:
            problems.append(f"chains[{position}]: {error.args[0]}")
        for url in chain.get("rpc_urls", []):
            if not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", str(url)):
                problems.append(f"chains[{position}].rpc_urls: each is an https address")
    ids = [chain.get("chain_id") for chain in chains]
    return problems + [f"chains: {chain_id} is described twice" for chain_id in set(ids) if ids.count(chain_id) > 1]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


def _parameter_problems(parameters: dict[str, Any]) -> list[str]:
    declared = source_template()["Parameters"]
    problems = []
    for name, value in parameters.items():
        text = _text(value)
        if name in _OWN:
            problems.append(f"parameters.{name}: the file has a section or a field for it")
        elif name not in declared:
            problems.append(f"parameters.{name}: the template has no such parameter")
        elif problem := _value_problem(declared[name], text):
            problems.append(f"parameters.{name}: {problem}")
    return problems


def _value_problem(declared: dict[str, Any], text: str) -> str | None:
    """Say what CloudFormation, or a function that starts, would refuse."""
    if len(text.encode()) > MAX_PARAMETER_BYTES:
        return f"longer than the {MAX_PARAMETER_BYTES} bytes that a parameter holds"
    if (allowed := declared.get("AllowedValues")) and text not in map(str, allowed):
        return f"one of {', '.join(map(str, allowed))}"
    if (pattern := declared.get("AllowedPattern")) and not re.fullmatch(pattern.strip("^$"), text):
        return f"must fit {pattern}"
    if declared["Type"] == "Number" and not re.fullmatch(r"-?\d+(\.\d+)?", text):
        return "a number"
    default = str(declared.get("Default", ""))
    if default.startswith(("{", "[")):
        try:
            given = json.loads(text)
        except ValueError as error:
            # A parameter that takes one word besides.
            return None if re.fullmatch(r"[a-z_,]+", text) else f"not JSON: {error}"
        if type(given) is not type(json.loads(default)):
            return f"another kind of JSON than {default[:40]}"
    return None


def _secret_values(
    file: _File, environment: Mapping[str, str], problems: list[str]
) -> tuple[dict[str, str], str | None]:
    values = {}
    for name, variable in file.secrets.model_dump().items():
        if variable is None:
            continue
        if variable not in environment:
            problems.append(f"secrets.{name}: the environment has no {variable}")
        elif environment[variable]:
            values[name] = environment[variable]
    key = None
    if variable := file.contracts.administrator:
        key = environment.get(variable)
        if not key:
            problems.append(f"contracts.administrator: the environment has no {variable}")
        elif not re.fullmatch(r"(0x)?[0-9a-fA-F]{64}", key):
            problems.append(f"contracts.administrator: {variable} is no private key of 32 bytes in hexadecimal")
    return values, key
