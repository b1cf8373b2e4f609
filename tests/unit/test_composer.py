"""The composer on the table of prompts, on options, and on hostile text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slipway.builds.composer.engine import CAPABILITIES, KINDS, Composer
from slipway.builds.composer.literals import string_literal
from slipway.builds.models import Generation, GenerationRequest
from slipway.errors import GenerationUnsupportedError, NotHonouredError, ValidationFailedError
from tests.support.kinds import CASES as RULED
from tests.support.prompts import CASES, UNSUPPORTED, Case
from tests.support.solidity_literals import code_and_literals, read_literal

WALLET = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
OTHER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"


def compose(
    prompt: str, template: str | None = None, options: dict[str, Any] | None = None, owner: str = WALLET
) -> Generation:
    return Composer().generate(GenerationRequest(prompt=prompt, owner=owner, template=template, options=options))


@pytest.fixture(scope="module", autouse=True)
def _phrases() -> None:
    """Compile every phrase by a first reading, which is not what each example's deadline is for."""
    compose("An ERC-20 token")


def test_the_table_is_as_long_as_it_has_to_be() -> None:
    assert len(CASES) >= 60
    assert {case.kind for case in [*CASES, *RULED]} == set(KINDS)


POWERS = {
    "_authorizeUpgrade": "replace the code",
    "addSigner": "change the signers",
    "changeThreshold": "change the signers",
    "closeMinting": "decides when and for whom",
    "mint": "mint more",
    "mintBatch": "mint more",
    "open": "decides which token|says once who may claim",
    "openAllowlist": "decides when and for whom",
    "openPublic": "decides when and for whom",
    "pause": "stop every transfer",
    "reclaim": "takes (?:back )?what",
    "removeSigner": "change the signers",
    "reveal": "sets the metadata",
    "revoke": "destroy any holder's|end the vesting",
    "safeMint": "mint more",
    "setExempt": "exempt accounts",
    "setFrozen": "freeze any account",
    "setToken": "says once which token",
    "setURI": "change where the metadata",
    "start": "decides which token",
    "unpause": "stop every transfer",
    "withdraw": "",
    "withdrawTokens": "withdraws",
}
"""What the answer says of each function that only some may call; `withdraw` takes what was paid for something."""


@pytest.mark.parametrize("case", [*CASES, *RULED], ids=lambda case: case.prompt[:60])
def test_whatever_only_some_may_do_is_named_among_the_powers(case: Case) -> None:
    made = compose(case.prompt, case.template, case.options)
    for function in re.findall(r"function (\w+)\([^)]*\)[^{;]*?(?:onlyOwner|onlyRole|onlySelf)", made.source):
        assert re.search(POWERS[function], " ".join(made.powers)), function


@pytest.mark.parametrize("case", [*CASES, *RULED], ids=lambda case: case.prompt[:60])
def test_a_prompt_becomes_what_it_asks_for(case: Case) -> None:
    made = compose(case.prompt, case.template, case.options)
    assert (made.engine, made.kind, made.options["name"]) == ("composer", case.kind, case.name)
    assert [
        entry.text for entry in made.not_honoured if not any(part in entry.text for part in case.not_honoured)
    ] == []
    for part in case.not_honoured:
        assert any(part in entry.text for entry in made.not_honoured), made.not_honoured
    assert all(entry.reason for entry in made.not_honoured)
    if case.kind in ("erc20", "erc721", "erc1155"):
        assert made.options["symbol"] == case.symbol
        assert made.options["supply"] == case.supply
        assert made.options.get("cap") == case.cap
        assert set(made.options["features"]) == case.features
        assert made.options["access"] == case.given.get("access", "roles" if case.roles else "owner")
        assert made.options.get("royalty") == case.royalty
        assert made.options.get("base_uri", "") == case.base_uri
        assert made.constructor_arguments[0].value == WALLET
        assert string_literal(case.name) in made.source
    assert {name: made.options.get(name) for name in case.given} == case.given
    if case.kind == "erc20":
        assert made.options["decimals"] == case.decimals
    if case.kind == "vesting" and not case.given:
        assert (made.options["duration"], made.options["cliff"]) == (case.duration, case.cliff)
        assert made.constructor_arguments[0].value == (case.beneficiary or WALLET)
    if case.kind == "timelock":
        assert made.options["delay"] == case.delay
        signers, threshold = made.constructor_arguments
        assert (signers.type, signers.value) == ("address[]", list(case.signers or (WALLET,)))
        assert (threshold.type, threshold.value) == ("uint256", str(case.threshold))


@pytest.mark.parametrize("prompt", UNSUPPORTED)
def test_what_cannot_be_made_is_refused_with_what_can(prompt: str) -> None:
    with pytest.raises(GenerationUnsupportedError) as caught:
        compose(prompt)
    assert CAPABILITIES in caught.value.message
    assert caught.value.details == {"templates": list(KINDS)}


def test_a_template_makes_a_prompt_that_names_nothing_enough() -> None:
    assert compose("for the people of my town", template="erc20").kind == "erc20"


def test_a_template_goes_before_the_prompt_and_says_so() -> None:
    made = compose("Create an ERC-721 collection called Cats", template="erc20")
    assert (made.kind, made.options["name"]) == ("erc20", "Cats")
    assert [entry.text for entry in made.not_honoured] == ["ERC-721"]


@pytest.mark.parametrize("template", ["", "ERC20", "erc777", "multisig", "../erc20", "vesting "])
def test_an_unknown_template_is_an_error_of_its_field(template: str) -> None:
    with pytest.raises(ValidationFailedError) as caught:
        compose("Create an ERC-20 token", template=template)
    assert caught.value.details is not None
    assert caught.value.details["fields"][0]["field"] == "template"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"colour": "red"}, "options.colour"),
        ({"Name": "X"}, "options.Name"),
        ({"name": ""}, "options.name"),
        ({"name": "x" * 65}, "options.name"),
        ({"name": 7}, "options.name"),
        ({"name": "a\u202eb"}, "options.name"),
        ({"name": "a\nb"}, "options.name"),
        ({"name": " a"}, "options.name"),
        ({"symbol": "A B"}, "options.symbol"),
        ({"symbol": "ABCDEFGHIJKL"}, "options.symbol"),
        ({"decimals": -1}, "options.decimals"),
        ({"decimals": 37}, "options.decimals"),
        ({"decimals": "6"}, "options.decimals"),
        ({"decimals": True}, "options.decimals"),
        ({"decimals": 6.0}, "options.decimals"),
        ({"owner": "0x123"}, "options.owner"),
        ({"owner": "0x70997970c51812dc3A010C7d01b50e0d17dc79C8"}, "options.owner"),
        ({"owner": "0x" + "0" * 40}, "options"),
        ({"supply": -1}, "options.supply"),
        ({"supply": "many"}, "options.supply"),
        ({"supply": True}, "options.supply"),
        ({"supply": 1.5}, "options.supply"),
        ({"supply": 2**256}, "options.supply"),
        ({"supply": "0.0000000000000000001"}, "options.supply"),
        ({"supply": 5, "cap": 4}, "options.cap"),
        ({"cap": 0, "supply": 0}, "options.cap"),
        ({"mintable": "yes"}, "options.mintable"),
        ({"access": "everyone"}, "options.access"),
        ({"royalty": 101}, "options.royalty"),
        ({"signers": []}, "options.signers"),
        ({"signers": [WALLET, WALLET]}, "options.signers"),
        ({"votes": True, "supply": 2**208}, "options.supply"),
    ],
)
def test_options_are_checked_strictly(options: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationFailedError) as caught:
        compose("Create an ERC-20 token called Strict", options=options)
    assert caught.value.details is not None
    assert caught.value.details["fields"][0]["field"] == field


def test_the_owner_is_the_callers_wallet_the_prompts_or_the_options() -> None:
    assert compose("Create an ERC-20 token").constructor_arguments[0].value == WALLET
    assert compose(f"Create an ERC-20 token owned by {OTHER}").constructor_arguments[0].value == OTHER
    made = compose(f"Create an ERC-20 token owned by {OTHER}", options={"owner": WALLET.lower()})
    assert made.constructor_arguments[0].value == WALLET


def test_an_address_with_a_wrong_checksum_is_an_error_not_an_owner() -> None:
    with pytest.raises(ValidationFailedError):
        compose("ERC-20 token owned by 0x70997970c51812dc3A010C7d01b50e0d17dc79C8")


def test_an_address_for_nothing_is_not_dropped() -> None:
    made = compose(f"Create an ERC-20 token with a thing at {OTHER}")
    assert OTHER in [entry.text for entry in made.not_honoured]


def test_an_option_that_the_kind_lacks_is_reported() -> None:
    made = compose("An escrow", options={"decimals": 6, "upgradeable": True, "votes": True, "access": "roles"})
    texts = [entry.text for entry in made.not_honoured]
    assert sorted(texts) == ["options.access", "options.decimals", "options.upgradeable", "options.votes"]


def test_more_than_a_token_can_count_is_an_error() -> None:
    with pytest.raises(ValidationFailedError):
        compose("ERC-20 with a supply of 10^60")
    with pytest.raises(ValidationFailedError):
        compose("ERC-20 with votes and a supply of 10^45")


def test_the_same_request_gives_the_same_source() -> None:
    assert compose(CASES[24].prompt) == compose(CASES[24].prompt)


# ── Text of strangers ───────────────────────────────────────────────────────────────────────────

HOSTILE = st.lists(
    st.sampled_from(
        [
            '"', "'", "`", "\\", "*/", "/*", "//", "\n", "\r", "\u2028", "\u202e", "\u2066", "\0", ";", "}", "{", "(",
            ")", "$", "contract X {", "selfdestruct(a)", "é", "😀", "\\u0022", "\\x22", "import", " ", "name", "A",
            "called", "symbol", "ERC-20", "1", "billion", "-", ".", ",", "supply", "0x", "%", "unicode", "ERC20",
        ]
    ),
    max_size=12,
).map("".join)  # fmt: skip
TEXT = st.one_of(HOSTILE, st.text(max_size=80))


def skeleton(source: str) -> tuple[str, list[str]]:
    """Return the source without what may differ by text: literals are taken out, the contract's name becomes X."""
    code, literals = code_and_literals(source)
    *helpers, name = re.findall(r"^contract (\w+)", code, re.MULTILINE)
    assert set(helpers) <= {f"{name}Token", f"{name}Logic"}
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)
    assert code.isascii()
    return re.sub(rf"\b{name}(?=Token\b|Logic\b|\b)", "X", code), literals


NEEDED: dict[str, dict[str, Any]] = {
    "crowdsale": {"rate": 10},
    "lock": {"duration": 10},
    "splitter": {"payees": [WALLET, OTHER]},
    "staking": {"rate": 10},
    "subscription": {"price": 1},
}
"""What a contract of these kinds can't be without."""


@settings(max_examples=300)
@given(name=TEXT, symbol=TEXT, kind=st.sampled_from(KINDS))
def test_names_reach_a_source_only_as_identifier_and_literals(name: str, symbol: str, kind: str) -> None:
    try:
        made = compose("a contract", template=kind, options={"name": name, "symbol": symbol, **NEEDED.get(kind, {})})
    except ValidationFailedError:
        return
    named = {"name": "Qqqq", "symbol": "Zzzz"}
    reference = compose("a contract", template=kind, options={**named, **NEEDED.get(kind, {})})
    code, literals = skeleton(made.source)
    reference_code, reference_literals = skeleton(reference.source)
    assert code == reference_code
    expected = [
        {"Qqqq": name, "Zzzz": symbol}.get(read_literal(text), read_literal(text)) for text in reference_literals
    ]
    assert [read_literal(text) for text in literals] == expected


@settings(max_examples=400)
@given(before=TEXT, name=TEXT, after=TEXT)
@example(before="ERC-20 ", name='"); } contract X { //', after="")
@example(before="ERC-20 ", name="*/ contract X {", after="")
def test_no_prompt_reaches_a_source_as_code(before: str, name: str, after: str) -> None:
    prompt = f'{before} called "{name}" {after} erc20 token'
    try:
        made = compose(prompt[:2000])
    except (GenerationUnsupportedError, NotHonouredError, ValidationFailedError):
        return
    code, literals = skeleton(made.source)
    known = re.compile(r"@openzeppelin/contracts/[A-Za-z0-9/]+\.sol|(MINTER|PAUSER|URI_SETTER)_ROLE|1|")
    free = {read_literal(text) for text in literals if not known.fullmatch(read_literal(text))}
    used = {made.options.get("name"), made.options.get("symbol"), made.options.get("base_uri")}
    assert free <= used
    for word in ("selfdestruct", "assembly", "delegatecall", "unchecked", "tx.origin"):
        assert word not in code
    assert len(re.findall(r"\bcontract\b \w+[^{]*\{", re.sub(r"//.*", "", code))) == 1


@settings(max_examples=300)
@given(st.text(max_size=300))
def test_any_text_is_composed_or_refused(prompt: str) -> None:
    for template in (None, "erc20", "timelock"):
        try:
            made = compose(prompt or "x", template=template)
        except (GenerationUnsupportedError, NotHonouredError, ValidationFailedError):
            continue
        assert skeleton(made.source)
