"""Owners who choose among the bids, through the deployed template."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.stack.launches import Token, account, bearer
from tests.stack.test_akash_deploy import END_SECONDS, deploy, on_network, settled
from tests.support.waiting import eventually


def offered(stack: Any, token: Token, deployment_id: str) -> dict[str, Any]:
    answer = stack.http.get(f"/api/deployments/{deployment_id}/bids", headers=bearer(token))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def awaited(stack: Any, token: Token, deployment_id: str, least: int = 2) -> list[dict[str, Any]]:
    """Return the bids that can be chosen, once there are several."""
    return eventually(
        lambda: [bid for bid in offered(stack, token, deployment_id)["bids"] if bid["acceptable"]],
        lambda found: len(found) >= least,
        within=END_SECONDS,
        every=0.2,
    )


def choose(stack: Any, token: Token, deployment_id: str, provider: str, **more: Any) -> httpx.Response:
    body = {"providers": [provider], **more}
    answer: httpx.Response = stack.http.post(f"/api/deployments/{deployment_id}/bids", json=body, headers=bearer(token))
    return answer


def test_many_choices_at_once_are_one_lease(stack: Any, user: Token) -> None:
    """Two programs of one owner choose two providers, each again and again: one provider has won for all of them."""
    deployment_id = deploy(stack, user, choose_bid=True).json()["deployment_id"]
    bids = awaited(stack, user, deployment_id)
    wanted = [bids[0]["provider"], bids[1]["provider"]] * 4
    stranger = stack.sign_in(account(stack, "user", 1))
    assert choose(stack, stranger, deployment_id, wanted[0]).status_code == 404
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda provider: choose(stack, user, deployment_id, provider), wanted))
    assert Counter(answer.status_code for answer in answers) == {202: 4, 409: 4}
    (won,) = {provider for provider, answer in zip(wanted, answers, strict=True) if answer.status_code == 202}
    found = settled(stack, user, deployment_id)
    assert (found["status"], found["provider"], found["choice"]["by"]) == ("active", won, "owner"), found
    assert [event["event"] for event in found["events"]].count("bid_chosen") == 1
    assert [lease["provider"] for lease in on_network(stack, found["dseq"])["leases"]] == [won]


def test_a_choice_that_nobody_makes_ends_by_itself(stack: Any, user: Token) -> None:
    best, closed = (
        deploy(stack, user, choose_bid=True, unchosen=unchosen).json()["deployment_id"]
        for unchosen in ("best", "close")
    )
    first = awaited(stack, user, best)[0]["provider"]
    found = settled(stack, user, best)
    assert (found["status"], found["provider"], found["choice"]["by"]) == ("active", first, "deadline"), found
    ended = settled(stack, user, closed)
    assert (ended["status"], ended["error"]["code"], ended["choice"]["status"]) == ("error", "BID_TIMEOUT", "over")
    entry = on_network(stack, ended["dseq"])
    assert (entry["state"], entry["leases"]) == ("closed", [])
