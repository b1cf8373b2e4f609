"""How verifications are followed: by reconcile, for a day, whatever the verifiers do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slipway.chain.contracts import load
from slipway.errors import UpstreamUnavailableError
from slipway.jobs.deployments import deployment_key
from slipway.store import Transaction
from slipway.tokens.store import KIND, LaunchedToken, TokenItem
from slipway.tokens.verification import TokenSources
from slipway.verification.models import PENDING, Contract, Finding, Source, Verdict
from slipway.verification.rules import TRIED_SECONDS, overall, pause_seconds
from slipway.verification.service import Verifications
from slipway.verification.store import VerificationItem, add_verification, find_verification
from tests.support.clock import ManualClock
from tests.support.installation import MANAGER, Installation
from tests.support.wallets import ALICE

TOKEN = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
ID = f"31337-{TOKEN}"
JOB = "3f0b9a52-6f0e-4a58-9d4c-2f1c5a7e8b90"
BEGIN = datetime(2026, 11, 29, tzinfo=UTC)
VERIFIED = Finding(Verdict.VERIFIED, url="https://verifier.test/1")


class Scripted:
    """A verifier that says what a test wants, one thing after the other and then the last again."""

    def __init__(self, name: str, *says: Finding | Exception) -> None:
        self.name = name
        self.says = list(says)
        self.asked: list[str | Source] = []

    def submit(self, contract: Contract, source: Source) -> Finding:
        assert contract == Contract(31337, TOKEN, "0x01")
        return self._say(source)

    def poll(self, _contract: Contract, ticket: str) -> Finding:
        return self._say(ticket)

    def _say(self, asked: str | Source) -> Finding:
        self.asked.append(asked)
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(said, Exception):
            raise said
        return said


class World:
    """A token that is complete, and a day that passes by the minute."""

    def __init__(self, *verifiers: Scripted) -> None:
        self.moment = BEGIN
        self.clock = ManualClock()
        self.verifications = Verifications(lambda _: verifiers, {KIND: TokenSources()}, self.clock, lambda: self.moment)

    def pass_minutes(self, minutes: float) -> list[str]:
        """Let time pass; returns what each step said that was due."""
        self.moment += timedelta(minutes=minutes)
        return [self.verifications.verify(due) for due in self.verifications.find()]


@pytest.fixture(autouse=True)
def _token(slipway: Installation) -> Iterator[None]:
    launch = TokenItem(
        *deployment_key(JOB), deployment_id=JOB, status="completed", model_id="m", wallet=ALICE.address,
        chain_id=31337, token_name="N", token_symbol="S", estimated_gas_cost="1", deadline="", created_at="",
        updated_at="", token_address=TOKEN, controller=MANAGER, deployment_tx_hash="0x01", deployment_block=1,
        verification=PENDING,
    )  # fmt: skip
    launch.save()
    LaunchedToken.of(launch, {}).save()
    write = Transaction()
    add_verification(write, KIND, JOB, Contract(31337, TOKEN, "0x01"), BEGIN)
    write.commit()
    yield
    del slipway


def _shown(slipway: Installation) -> list[Any]:
    status = slipway.api("api_deployments_status", token=slipway.token(), path={"id": JOB}).body["verification"]
    token = slipway.api("api_tokens_token", path={"address": TOKEN}).body["verification"]
    assert status == token
    return [status["status"], status["urls"]]


def test_a_source_is_verified_in_one_step_where_the_verifier_is_quick(slipway: Installation) -> None:
    assert _shown(slipway) == ["pending", []]
    verifier = Scripted("one", Finding(Verdict.PENDING, "t"), Finding(Verdict.PENDING, "t"), VERIFIED)
    assert World(verifier).pass_minutes(1) == ["verified"]
    slipway.forget()
    assert _shown(slipway) == ["verified", ["https://verifier.test/1"]]
    source, *tickets = verifier.asked
    assert isinstance(source, Source)
    assert (source.name, source.compiler) == ("contracts/HokusaiToken.sol:HokusaiToken", load("HokusaiToken").compiler)
    assert tickets == ["t", "t"]
    assert World(verifier).pass_minutes(10) == []


def test_a_verifier_that_is_slow_is_asked_by_its_ticket(slipway: Installation) -> None:
    verifier = Scripted("one", Finding(Verdict.PENDING, "t"))
    world = World(verifier)
    assert world.pass_minutes(1) == ["pending"]
    assert world.pass_minutes(0.01) == []
    verifier.says = [VERIFIED]
    assert world.pass_minutes(1) == ["verified"]
    assert [asked for asked in verifier.asked if isinstance(asked, Source)] == verifier.asked[:1]


@pytest.mark.parametrize(
    "trouble", [UpstreamUnavailableError("down"), Finding(Verdict.PENDING, reason="a node of theirs lags")], ids=str
)
def test_trouble_is_tried_again_for_a_day_and_then_given_up(slipway: Installation, trouble: Any) -> None:
    verifier = Scripted("one", trouble)
    world = World(verifier)
    said = [entry for _ in range(25 * 6) for entry in world.pass_minutes(10)]
    assert said == ["pending"] * (len(said) - 1) + ["failed"]
    # More often at first, hourly at the end.
    assert 24 < len(said) < 60
    assert world.moment - BEGIN > timedelta(seconds=TRIED_SECONDS)
    assert _shown(slipway) == ["failed", []]
    assert TokenItem.get(*deployment_key(JOB)).status == "completed"


def test_trouble_that_passes_leaves_nothing_behind(slipway: Installation) -> None:
    world = World(Scripted("one", UpstreamUnavailableError("down"), Finding(Verdict.PENDING, "t"), VERIFIED))
    assert world.pass_minutes(1) == ["pending"]
    assert world.pass_minutes(1) == ["verified"]
    assert _shown(slipway)[0] == "verified"


def test_each_verifier_is_asked_until_it_has_spoken(slipway: Installation) -> None:
    first, second = Scripted("one", VERIFIED), Scripted("two", UpstreamUnavailableError("down"))
    world = World(first, second)
    assert world.pass_minutes(1) == ["verified"]
    assert _shown(slipway) == ["verified", ["https://verifier.test/1"]]
    second.says = [Finding(Verdict.VERIFIED, url="https://verifier.test/2")]
    assert world.pass_minutes(1) == ["verified"]
    assert len(first.asked) == 1
    slipway.forget()
    assert _shown(slipway)[1] == ["https://verifier.test/1", "https://verifier.test/2"]


def test_nobody_to_ask_is_off(slipway: Installation) -> None:
    assert World().pass_minutes(1) == ["off"]
    assert _shown(slipway) == ["off", []]


def test_a_source_that_is_not_kept_is_off(slipway: Installation) -> None:
    token = LaunchedToken.get(*LaunchedToken.key(TOKEN))
    token.update(actions=[LaunchedToken.source_hash.set("0" * 64)])
    verifier = Scripted("one", VERIFIED)
    assert World(verifier).pass_minutes(1) == ["off"]
    assert verifier.asked == []
    assert _shown(slipway)[0] == "off"


def test_two_runs_at_once_write_once(slipway: Installation) -> None:
    class Racing(Scripted):
        def _say(self, asked: str | Source) -> Finding:
            said = super()._say(asked)
            if len(self.asked) > 1:
                return said
            world.verifications.verify(ID)
            return Finding(Verdict.FAILED)

    world = World(Racing("one", VERIFIED))
    world.pass_minutes(1)
    item = find_verification(ID)
    assert item is not None
    assert (item.status, int(item.tries)) == ("verified", 1)
    assert _shown(slipway)[0] == "verified"


def test_reconcile_finds_and_follows_what_is_due(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCIFY_URL", "")
    answer = slipway.invoke("ReconcileTasks", {"state": "FindVerifications", "tries": 0})
    assert answer == {"steps": [{"state": "VerifySource", "verification_id": ID}]}
    (step,) = answer["steps"]
    assert slipway.invoke("ReconcileTasks", step) == {"done": "off"}
    assert slipway.invoke("ReconcileTasks", step) == {"done": "ended"}
    assert slipway.invoke("ReconcileTasks", {"state": "FindVerifications", "tries": 0}) == {"steps": []}
    assert VerificationItem.get(f"VERIFICATION#{ID}", "STATE").open_shard is None


# ── Rules ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        ([], "off"),
        (["off"], "off"),
        (["off", "failed"], "failed"),
        (["failed", "pending"], "pending"),
        (["pending", "partial"], "partial"),
        (["partial", "verified", "failed"], "verified"),
    ],
)
def test_verdicts_together(verdicts: list[str], together: str) -> None:
    assert overall(map(Verdict, verdicts)) == together


def test_pauses_grow_to_an_hour() -> None:
    assert pause_seconds(0) <= 15
    assert 1800 <= pause_seconds(50) <= 3600
