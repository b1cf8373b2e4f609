"""Tokens, workloads, escrow and builds."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

import click

from slipway_client import SlipwayError, types
from slipway_client.cli.context import ENDED_BADLY, USAGE, Command, Context, Failed, Group, confirm, given, table
from slipway_client.cli.following import follow_build, follow_deployment, until, wait_options

_ITEMS = click.option("--limit", type=int, default=50, show_default=True, help="How many at most.")
_KEY = click.option("--idempotency-key", help="The same key and arguments never do it twice.")
_CLOSED = {"closed", "error", "completed", "failed"}


# ── Tokens ───────────────────────────────────────────────────────────────────────────────────────────
@click.group(cls=Group)
def token() -> None:
    """Launch tokens of validated models, and mint."""


@token.command("launch")
@click.argument("model")
@click.option("--name", help="By default made from the model's id.")
@click.option("--symbol", help="By default made from the name.")
@click.option("--supply", help="Whole tokens to begin with.")
@click.option("--max-supply", help="The most that there may ever be.")
@click.option("--allocate", multiple=True, metavar="ADDRESS=AMOUNT", help="Part of the supply for somebody else.")
@click.option("--owner", metavar="ADDRESS", help="The caller's wallet, where no key file has it.")
@click.option("--estimate", is_flag=True, help="Show costs and refusals, and launch nothing.")
@_KEY
@wait_options
@given
def launch(
    context: Context,
    model: str,
    name: str | None,
    symbol: str | None,
    supply: str | None,
    max_supply: str | None,
    allocate: tuple[str, ...],
    owner: str | None,
    estimate: bool,
    idempotency_key: str | None,
    no_wait: bool,
    timeout: float,
) -> None:
    """Launch the token of a model, and wait until it is on chain and registered."""
    allocations: list[types.Allocation] = []
    for entry in allocate:
        address, equals, amount = entry.partition("=")
        if not equals:
            raise click.BadParameter(f"{entry} is not ADDRESS=AMOUNT", param_hint="--allocate")
        allocations.append({"address": address, "amount": amount})
    wanted = {
        "token_name": name, "token_symbol": symbol, "initial_supply": supply, "max_supply": max_supply,
        "allocations": allocations or None,
    }  # fmt: skip
    owner = owner or _own_wallet(context)
    if estimate:
        body = {"model_id": model, "user_address": owner, **{k: v for k, v in wanted.items() if v is not None}}
        _estimate(context, body)
        return
    more: Any = wanted
    accepted = context.client.launch_token(model, owner, **more, idempotency_key=idempotency_key)
    _ended(context, dict(accepted), no_wait, timeout)


def _own_wallet(context: Context) -> str:
    """Return the wallet of the key file or of the session."""
    if signer := context.signer():
        return signer.address
    from slipway_client.cli.login import _claims

    bearer = context.client._api.bearer()
    wallet = _claims(bearer).get("wallet") if bearer and bearer.count(".") == 2 else None
    if not wallet:
        raise Failed("Which wallet? Name it with --owner", USAGE)
    return str(wallet)


def _estimate(context: Context, body: Any) -> None:
    answer: Any = context.client.deployments.estimate(body)
    context.show(answer)
    if refusals := answer.get("refusals"):
        raise Failed(
            "\n".join(f"{refusal['code']}: {refusal['message']}" for refusal in refusals), ENDED_BADLY, refusals[0]
        )


def _ended(context: Context, accepted: dict[str, Any], no_wait: bool, timeout: float) -> None:
    """Show what was accepted, or wait for its end and show that."""
    if no_wait:
        context.show(accepted)
        return
    context.note(f"{accepted['deployment_id']} accepted")
    context.show(follow_deployment(context, accepted["deployment_id"], timeout))


@token.command("status")
@click.argument("deployment")
@click.option("--wait", is_flag=True, help="Wait for its end.")
@click.option("--timeout", type=float, default=3600, show_default=True, help="Seconds to wait.")
@given
def token_status(context: Context, deployment: str, wait: bool, timeout: float) -> None:
    """Show how a launch stands, by its id."""
    if wait:
        context.show(follow_deployment(context, deployment, timeout))
    else:
        context.show(context.client.deployments.status(deployment))


@token.command("retry")
@click.argument("deployment")
@wait_options
@given
def token_retry(context: Context, deployment: str, no_wait: bool, timeout: float) -> None:
    """Take up a launch that failed half done."""
    _ended(context, dict(context.client.deployments.retry(deployment)), no_wait, timeout)


@token.command("show")
@click.argument("address")
@given
def token_show(context: Context, address: str) -> None:
    """Show a launched token, by its address."""
    context.show(context.client.tokens.get(address))


@token.command("mint")
@click.argument("address")
@click.argument("amount")
@click.option("--to", metavar="ADDRESS", help="By default the own wallet.")
@click.option("--send", is_flag=True, help="Sign with the key file and send to --rpc-url.")
@given
def mint(context: Context, address: str, amount: str, to: str | None, send: bool) -> None:
    """Write the transaction that mints, or with --send send it; as the token's steward."""
    answer = context.client.tokens.mint(address, to or _own_wallet(context), amount)
    _sent_or_shown(context, answer, send)


@token.command("models")
@_ITEMS
@given
def models(context: Context, limit: int) -> None:
    """List the models that are yours, with their tokens."""
    context.rows(context.client.models.list(), ("model_id", "state", "token", "validated_at"), limit)


def _sent_or_shown(context: Context, answer: Any, send: bool) -> None:
    if not send:
        context.show(answer, lambda given: json.dumps(given["transactions"], indent=1))
        return
    wallet = context.wallet()
    if wallet is None:
        raise Failed("Sending needs --key-file and --rpc-url", USAGE)
    receipts = wallet.send(answer["transactions"])
    hashes = [receipt["transactionHash"] for receipt in receipts]
    context.show({"transactions": hashes}, "\n".join(hashes))


# ── Workloads ────────────────────────────────────────────────────────────────────────────────────────
@click.command(cls=Command)
@click.argument("file", type=click.File("r"))
@click.option("--deposit", help="US dollars.")
@click.option("--name", help="A name to find it by.")
@click.option("--max-price", help="US dollars an hour.")
@click.option("--region", help="Where.")
@click.option("--gpu", help="Which GPU.")
@click.option("--provider", multiple=True, help="Only from these providers.")
@click.option("--audited-only", is_flag=True, help="Only from audited providers.")
@click.option("--choose", is_flag=True, help="Choose among the bids yourself; without a terminal, by `slipway choose`.")
@click.option("--choose-within", type=click.IntRange(15, 240), help="Seconds for that; else as long as bids last.")
@click.option("--unchosen", type=click.Choice(["best", "close"]), help="What happens when nobody chooses in time.")
@click.option("--estimate", is_flag=True, help="Show costs and refusals, and deploy nothing.")
@_KEY
@wait_options
@given
def deploy(
    context: Context,
    file: Any,
    deposit: str | None,
    name: str | None,
    max_price: str | None,
    region: str | None,
    gpu: str | None,
    provider: tuple[str, ...],
    audited_only: bool,
    choose: bool,
    choose_within: int | None,
    unchosen: str | None,
    estimate: bool,
    idempotency_key: str | None,
    no_wait: bool,
    timeout: float,
) -> None:
    """Run the workload of an SDL file (- for standard input) on Akash, and wait until it is active.

    Where your tier pays by escrow, the deposit is signed with the key file and sent to --rpc-url.
    """
    preferences: Any = {"region": region, "gpuType": gpu, "maxPrice": max_price, "providers": [*provider]}
    preferences = {key: value for key, value in preferences.items() if value} | (
        {"auditedOnly": True} if audited_only else {}
    )
    if (choose_within or unchosen) and not choose:
        raise click.UsageError("--choose-within and --unchosen go with --choose")
    sdl = file.read()
    if estimate:
        body = {"sdl": sdl, "deposit": deposit, "preferences": preferences}
        _estimate(context, {key: value for key, value in body.items() if value})
        return
    accepted: Any = context.client.deployments.deploy(
        sdl,
        deposit=deposit,
        preferences=preferences or None,
        name=name,
        choose_bid=choose,
        choose_within_seconds=choose_within,
        unchosen=unchosen,
        idempotency_key=idempotency_key,
    )
    if "payment" in accepted:
        payment, wallet = accepted["payment"], context.wallet()
        if wallet:
            context.note(f"Depositing {payment['amount']} for {accepted['deployment_id']}")
            wallet.send(payment["transactions"])
        else:
            context.note(
                f"It waits for a deposit of {payment['amount']} until {payment['expires_at']}: slipway escrow deposit "
                f"{payment['job_id']} {payment['amount']} --key-file … --rpc-url …"
            )
    if choose and not no_wait:
        _choose(context, accepted["deployment_id"], timeout)
    _ended(context, dict(accepted), no_wait, timeout)


_BID = ("name", "usd_per_month", "price", "region", "uptime", "audited", "gpu")


def _choose(context: Context, deployment: str, timeout: float) -> None:
    """Wait for the bids, and ask which one to take; without a terminal, say how it is told."""
    deployments: Any = context.client.deployments

    def waits(found: Any) -> bool:
        return bool(found["status"] == "pending" and (found.get("choice") or {}).get("status") == "awaiting_bids")

    found = until(context, lambda client: client.deployments.status(deployment), lambda now: not waits(now), timeout)
    while (found.get("choice") or {}).get("status") == "awaiting_choice":
        offer = deployments.bids(deployment)
        bids = [bid for bid in offer["bids"] if bid["acceptable"]]
        deadline = offer["choice"]["until"]
        if context.as_json or not _at_a_terminal():
            context.note(f"There are {len(bids)} bids; until {deadline}: slipway choose {deployment} PROVIDER")
            return
        taken = [_asked(group, bids) for group in range(1, offer["groups"] + 1)]
        if not all(taken):
            context.note(f"Not chosen; until {deadline}: slipway choose {deployment} PROVIDER")
            return
        try:
            price = sum((Decimal(bid["price"]) for bid in taken), Decimal(0))
            deployments.choose(deployment, *(bid["provider"] for bid in taken), price=f"{price:f}")
            return
        except SlipwayError as error:
            if error.status != 409:
                raise
            context.note(str(error))
        found = deployments.status(deployment)


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _asked(group: int, bids: list[Any]) -> Any:
    """Ask which bid for a placement to take; None for none."""
    of_it = [bid for bid in bids if bid["group"] == group]
    rows = [{"#": str(number), **_bid_row(bid)} for number, bid in enumerate(of_it, 1)]
    click.echo(table(rows, ("#", *_BID)) if rows else "No bid can be taken.", err=True)
    number = click.prompt(
        "Which one? 0 for none", type=click.IntRange(0, len(of_it)), default=min(1, len(of_it)), err=True
    )
    return of_it[number - 1] if number else None


def _bid_row(bid: Any) -> dict[str, str]:
    uptime = None if bid["uptime"] is None else f"{bid['uptime'] * 100:.1f} %"
    shown = {**bid, "name": bid["name"] or bid["provider"], "uptime": uptime}
    shown["audited"] = "yes" if bid["audited"] else "no"
    return {name: str(shown[name] or "-") for name in _BID}


@click.command("bids", cls=Command)
@click.argument("deployment")
@given
def bids(context: Context, deployment: str) -> None:
    """List the bids for a workload that waits for its owner to choose, best first."""
    found: Any = context.client.deployments.bids(deployment)
    if context.as_json:
        context.show(found)
        return
    context.rows(
        ({**bid, **_bid_row(bid), "why_not": bid["why_not"] or ""} for bid in found["bids"]),
        ("provider", *_BID, "why_not"),
    )


@click.command("choose", cls=Command)
@click.argument("deployment")
@click.argument("providers", nargs=-1, required=True, metavar="PROVIDER…")
@click.option("--price", help="uact a block of these bids together; another price is refused.")
@wait_options
@given
def choose_bid(
    context: Context, deployment: str, providers: tuple[str, ...], price: str | None, no_wait: bool, timeout: float
) -> None:
    """Take the bid of a provider, one for each placement, and wait until the workload is active."""
    _ended(context, dict(context.client.deployments.choose(deployment, *providers, price=price)), no_wait, timeout)


@click.command("ls", cls=Command)
@click.option("--kind", type=click.Choice(["token", "akash"]))
@click.option("--status", help="Only those of this status.")
@click.option("--model", help="Only launches of this model.")
@_ITEMS
@given
def listed(context: Context, kind: str | None, status: str | None, model: str | None, limit: int) -> None:
    """List deployments, newest first."""
    entries = context.client.deployments.list(kind=kind, status=status, model_id=model)
    shown: Any = ({**entry, "of": entry.get("model_id") or entry.get("name") or ""} for entry in entries)
    context.rows(entries if context.as_json else shown, ("deployment_id", "kind", "status", "of", "created_at"), limit)


@click.command(cls=Command)
@click.argument("deployment")
@click.option("--sdl", is_flag=True, help="Its SDL alone, secrets masked.")
@given
def show(context: Context, deployment: str, sdl: bool) -> None:
    """Show a deployment with its events."""
    if sdl:
        context.show(context.client.deployments.sdl(deployment), lambda answer: str(answer["sdl"]))
    else:
        context.show(context.client.deployments.get(deployment))


@click.command(cls=Command)
@click.argument("deployment")
@given
def status(context: Context, deployment: str) -> None:
    """Show how a deployment stands."""
    context.show(context.client.deployments.status(deployment))


@click.command(cls=Command)
@click.argument("deployment")
@click.option("-f", "--follow", is_flag=True, help="Go on until the workload is closed.")
@click.option("--service", help="One service of the SDL.")
@click.option("--tail", type=click.IntRange(0, 1000), help="How many earlier lines of each pod.")
@given
def logs(context: Context, deployment: str, follow: bool, service: str | None, tail: int | None) -> None:
    """Write a workload's log; --json writes one object a line."""
    for event in context.client.logs(deployment, service=service, tail=tail, follow=follow):
        if context.as_json:
            context.show({name: value for name, value in vars(event).items() if value not in (None, "", False)})
        elif event.event == "line":
            click.echo(f"{event.service} | {event.line}")
        else:
            context.note(f"({event.message})")


@click.command(cls=Command)
@click.argument("deployment")
@click.argument("file", type=click.File("r"))
@click.option("--replace", is_flag=True, help="Take another lease where the change needs one.")
@wait_options
@given
def update(context: Context, deployment: str, file: Any, replace: bool, no_wait: bool, timeout: float) -> None:
    """Run another SDL in a workload's lease, and wait until it runs."""
    accepted = dict(context.client.deployments.update(deployment, file.read(), replace=replace))
    if no_wait:
        context.show(accepted)
        return
    last = until(
        context,
        lambda client: client.deployments.get(deployment),
        lambda found: not found.get("update_requested_at") and found["status"] != "pending",
        timeout,
    )
    ended = [event for event in last.get("events", ()) if event["event"] in ("updated", "update_failed")]
    context.show(last)
    if last["status"] != "active" or (ended and ended[-1]["event"] == "update_failed" and not replace):
        message = ended[-1]["message"] if ended else f"It is {last['status']}"
        raise Failed(message, ENDED_BADLY)


@click.command("top-up", cls=Command)
@click.argument("deployment")
@click.argument("amount")
@given
def top_up(context: Context, deployment: str, amount: str) -> None:
    """Add US dollars to a workload's escrow account on Akash."""
    context.show(context.client.deployments.top_up(deployment, amount))


@click.command(cls=Command)
@click.argument("deployment")
@click.option("--yes", is_flag=True, help="Do not ask.")
@wait_options
@given
def close(context: Context, deployment: str, yes: bool, no_wait: bool, timeout: float) -> None:
    """Close a workload, or cancel a launch that is not signed, and wait until that is done."""
    confirm(f"Close {deployment}?", yes)
    closing = dict(context.client.deployments.close(deployment))
    if no_wait:
        context.show(closing)
        return
    last = until(
        context, lambda client: client.deployments.status(deployment), lambda found: found["status"] in _CLOSED, timeout
    )
    context.show(last)


# ── Escrow ───────────────────────────────────────────────────────────────────────────────────────────
@click.group(cls=Group)
def escrow() -> None:
    """Deposit money for a job, and take back what is free."""


@escrow.command("status")
@click.argument("job")
@given
def escrow_status(context: Context, job: str) -> None:
    """Show what is deposited, reserved, released and refundable."""
    context.show(context.client.escrow.status(job))


@escrow.command("deposit")
@click.argument("job")
@click.argument("amount")
@given
def deposit(context: Context, job: str, amount: str) -> None:
    """Deposit whole tokens for a job: signs with the key file and sends to --rpc-url."""
    wallet = context.wallet()
    if wallet is None:
        raise Failed("A deposit needs --key-file and --rpc-url", USAGE)
    context.show(context.client.escrow.pay(job, amount, wallet))


@escrow.command("refund")
@click.argument("job")
@click.option("--send", is_flag=True, help="Sign with the key file and send to --rpc-url.")
@given
def refund(context: Context, job: str, send: bool) -> None:
    """Write the transaction that takes back what is free, or with --send send it."""
    _sent_or_shown(context, context.client.escrow.refund(job), send)


# ── Builds ───────────────────────────────────────────────────────────────────────────────────────────
@click.command(cls=Command)
@click.argument("prompt")
@click.option("--chain", "chains", type=int, multiple=True, help="A chain's id, once for each.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="name, symbol, owner, strict, deploy …")
@click.option("--preview", is_flag=True, help="Show what it would become, and start nothing.")
@click.option("--source", is_flag=True, help="With --preview: write the source alone.")
@_KEY
@wait_options
@given
def build(
    context: Context,
    prompt: str,
    chains: tuple[int, ...],
    options: tuple[str, ...],
    preview: bool,
    source: bool,
    idempotency_key: str | None,
    no_wait: bool,
    timeout: float,
) -> None:
    """Write, audit and deploy a contract from a prompt, and wait for its end."""
    chosen = dict(map(_option, options)) or None
    if preview:
        found = context.client.builds.preview(prompt, chains, options=chosen)
        context.show(found, str(found["source"]) if source else None)
        problems = [*found["refusals"], *({"code": "NOT_HONOURED", **it} for it in found["not_honoured"])]
        if problems:
            lines = [f"{it['code']}: {it.get('message') or it.get('reason')}" for it in map(dict[str, Any], problems)]
            raise Failed("\n".join(lines), ENDED_BADLY)
        return
    started = context.client.builds.start(prompt, chains, options=chosen, idempotency_key=idempotency_key)
    if no_wait:
        context.show(started)
        return
    context.note(f"{started['build_id']} accepted")
    context.show(follow_build(context, started["build_id"], timeout), _built)


def _option(entry: str) -> tuple[str, Any]:
    name, equals, value = entry.partition("=")
    if not equals:
        raise click.BadParameter(f"{entry} is not NAME=VALUE", param_hint="--option")
    if name == "decimals" and value.isdigit():
        return name, int(value)
    return name, {"true": True, "false": False}.get(value, value)


def _built(found: Any) -> str:
    lines = [f"{found['build_id']} {found['status']}: {found.get('kind') or ''} {found.get('contract_name') or ''}"]
    for one in found.get("deployments") or ():
        lines.append(f"  {one['chain_name']} ({one['chain_id']}): {one.get('address') or one['status']}")
    return "\n".join(line.rstrip() for line in lines)


@click.group(cls=Group)
def builds() -> None:
    """Look at builds, and take them further."""


@builds.command("ls")
@click.option("--status", help="Only those of this status.")
@_ITEMS
@given
def builds_listed(context: Context, status: str | None, limit: int) -> None:
    """List builds, newest first."""
    columns = ("build_id", "status", "kind", "contract_name", "created_at")
    context.rows(context.client.builds.list(status=status), columns, limit)


@builds.command("show")
@click.argument("build_id")
@click.option("--wait", is_flag=True, help="Wait for its end.")
@click.option("--timeout", type=float, default=3600, show_default=True, help="Seconds to wait.")
@given
def builds_show(context: Context, build_id: str, wait: bool, timeout: float) -> None:
    """Show a build."""
    context.show(follow_build(context, build_id, timeout) if wait else context.client.builds.get(build_id))


@builds.command("code")
@click.argument("build_id")
@given
def builds_code(context: Context, build_id: str) -> None:
    """Write a build's source."""
    source = context.client.builds.code(build_id)
    context.show({"source": source}, source)


@builds.command("abi")
@click.argument("build_id")
@given
def builds_abi(context: Context, build_id: str) -> None:
    """Write a build's ABI."""
    context.show(context.client.builds.abi(build_id), json.dumps)


@builds.command("audit")
@click.argument("build_id")
@click.option("--format", "form", type=click.Choice(["json", "sarif", "markdown"]), default="markdown")
@given
def builds_audit(context: Context, build_id: str, form: Any) -> None:
    """Write a build's audit report."""
    if form == "markdown" and not context.as_json:
        click.echo(context.client.builds.audit_markdown(build_id))
    else:
        report = context.client.builds.audit(build_id, format="sarif" if form == "sarif" else "json")
        context.show(report, lambda found: json.dumps(found, indent=1))


@builds.command("deploy")
@click.argument("build_id")
@click.option("--chain", "chains", type=int, multiple=True, required=True, help="A chain's id, once for each.")
@_KEY
@wait_options
@given
def builds_deploy(
    context: Context, build_id: str, chains: tuple[int, ...], idempotency_key: str | None, no_wait: bool, timeout: float
) -> None:
    """Deploy an audited contract to further chains."""
    answer = context.client.builds.deploy(build_id, chains, idempotency_key=idempotency_key)
    if no_wait:
        context.show(answer)
    else:
        context.show(follow_build(context, build_id, timeout), _built)


@builds.command("cancel")
@click.argument("build_id")
@given
def builds_cancel(context: Context, build_id: str) -> None:
    """Cancel a build."""
    context.show(context.client.builds.cancel(build_id))


@builds.command("retry")
@click.argument("build_id")
@wait_options
@given
def builds_retry(context: Context, build_id: str, no_wait: bool, timeout: float) -> None:
    """Begin a build again that failed before its audit."""
    answer = context.client.builds.retry(build_id)
    if no_wait:
        context.show(answer)
    else:
        context.show(follow_build(context, build_id, timeout), _built)


def add_to(group: click.Group) -> None:
    """Add these commands to the command line."""
    for command in (
        token,
        deploy,
        bids,
        choose_bid,
        listed,
        show,
        status,
        logs,
        update,
        top_up,
        close,
        escrow,
        build,
        builds,
    ):
        group.add_command(command)
