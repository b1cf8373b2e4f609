"""Commands of operators, and adapters of AWS that the API's tests do not reach."""

from __future__ import annotations

import boto3
import pytest

from slipway.chain import addresses, configure
from slipway.chain.store import chain_configuration
from slipway.errors import UpstreamUnavailableError
from slipway.executions import execution_starter, execution_status
from slipway.limits.store import Quota, RateLog
from slipway.store import ConditionsFailedError, Transaction
from slipway.tokens.mlflow import MlflowModels
from slipway.tokens.model_source import CatalogueModels, model_source
from tests.support.installation import DEPLOYER, Installation
from tests.support.wallets import ALICE, BOB

REGISTRY, MANAGER = ALICE.address, BOB.address


def test_an_installation_gets_its_contracts_and_cap(slipway: Installation) -> None:
    arguments = ["--chain-id", "31337", "--model-registry", REGISTRY.lower(), "--token-manager", MANAGER]
    assert configure.main([*arguments, "--registrar", REGISTRY, "--registrar", MANAGER]) == 0
    assert configure.main(["--chain-id", "31337", "--max-fee-per-gas", str(10**30)]) == 0
    found = chain_configuration(31337)
    assert (found.model_registry, found.token_manager, found.registrars) == (REGISTRY, MANAGER, [REGISTRY, MANAGER])
    assert found.max_fee_per_gas == 10**30
    assert configure.main(["--chain-id", "31337", "--escrow", ALICE.address.lower()]) == 0
    found = chain_configuration(31337)
    assert (found.escrow, found.model_registry) == (ALICE.address, REGISTRY)
    assert configure.main(["--chain-id", "31337", "--max-fee-per-gas", "0"]) == 0
    assert chain_configuration(31337).max_fee_per_gas is None


@pytest.mark.parametrize(
    "arguments",
    [
        ["--chain-id", "x"],
        ["--chain-id", "1", "--model-registry", REGISTRY],
        ["--chain-id", "1", "--model-registry", REGISTRY, "--token-manager", MANAGER, "--escrow", "0x1"],
        ["--chain-id", "1", "--model-registry", "0x1", "--token-manager", MANAGER],
        ["--chain-id", "1", "--model-registry", REGISTRY, "--token-manager", MANAGER, "--registrar", "me"],
    ],
)
def test_arguments_that_make_no_sense_change_nothing(slipway: Installation, arguments: list[str]) -> None:
    before = slipway.items("control")
    with pytest.raises(SystemExit) as caught:
        configure.main(arguments)
    assert caught.value.code == 2
    assert slipway.items("control") == before


def test_addresses_of_deployer_keys_are_printed(slipway: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    kms = boto3.client("kms")
    keys = [kms.create_key(KeySpec="ECC_SECG_P256K1", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"] for _ in "ab"]
    assert addresses.main(keys) == 0
    printed = capsys.readouterr().out.split()
    assert len(set(printed)) == 2
    assert all(len(address) == 42 for address in printed)
    assert addresses.main([]) == 2


def test_an_execution_of_a_name_is_started_once(slipway: Installation) -> None:
    start = execution_starter(slipway.state_machine)
    assert execution_status(slipway.state_machine, "job") is None
    start("job", "{}")
    start("job", "{}")
    assert execution_status(slipway.state_machine, "job") in ("RUNNING", "SUCCEEDED")
    assert len(slipway.executions()) == 1


def test_models_come_from_mlflow_where_it_is_configured(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(model_source(), CatalogueModels)
    model_source.cache_clear()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    found = model_source()
    assert isinstance(found, MlflowModels)
    with pytest.raises(UpstreamUnavailableError):
        found.find("m")
    model_source.cache_clear()


def test_a_log_of_requests_that_grew_too_long_is_trimmed_and_goes_on(slipway: Installation) -> None:
    def count() -> Quota:
        quota, write = Quota("launches", DEPLOYER, {"minute": 3, "hour": 5}), Transaction()
        quota.count_within(write)
        try:
            write.commit()
        except ConditionsFailedError as error:
            refused.append(quota.refused(error.failed))
            raise
        return quota

    refused: list[object] = []
    old = [1000 - number for number in range(500)]
    RateLog(f"RATE#launches#{DEPLOYER}", "LOG", at=old).save()
    with pytest.raises(ConditionsFailedError):
        count()
    assert refused == [None]
    left = count()
    assert left.refusal is None
    assert left.headers["ratelimit-remaining"] == "1"
