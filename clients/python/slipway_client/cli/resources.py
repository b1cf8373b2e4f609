"""Workers, stacks, webhooks, API keys, providers, and what administrators do."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from slipway_client import SlipwayError
from slipway_client.cli.context import Command, Context, Group, confirm, given
from slipway_client.cli.following import succeeded, until, wait_options

_ITEMS = click.option("--limit", type=int, default=50, show_default=True, help="How many at most.")
_KIND = click.argument("kind", type=click.Choice(["node", "api"]))
_STACK_ENDED = {"active", "failed", "deleted"}


# ── Workers ──────────────────────────────────────────────────────────────────────────────────────────
@click.group(cls=Group)
def worker() -> None:
    """Look after machines that prove that they are alive."""


@worker.command("ls")
@click.option("--status", type=click.Choice(["new", "healthy", "late", "down", "retired"]))
@_ITEMS
@given
def worker_listed(context: Context, status: str | None, limit: int) -> None:
    """List the workers that you may see."""
    context.rows(context.client.workers.list(status=status), ("wallet", "status", "last_seen", "enrolled_at"), limit)


@worker.command("show")
@click.argument("wallet")
@given
def worker_show(context: Context, wallet: str) -> None:
    """Show a worker."""
    context.show(context.client.workers.get(wallet))


@worker.command("enrol")
@given
def worker_enrol(context: Context) -> None:
    """Write the command that turns a machine into your wallet's worker; it works once."""
    context.show(context.client.workers.enrol(), lambda answer: str(answer["setup_command"]))


@worker.command("uptime")
@click.argument("wallet")
@click.option("--days", type=int, default=30, show_default=True)
@given
def worker_uptime(context: Context, wallet: str, days: int) -> None:
    """Show when a worker was up."""
    now = datetime.now(UTC)
    since = (now - timedelta(days=days)).isoformat(timespec="seconds").replace("+00:00", "Z")
    answer = context.client.workers.uptime(wallet, since=since)
    context.show(
        answer,
        lambda found: "\n".join(
            [f"{found['percent']} % observed", *(f"{day['date']}  {day['percent']}" for day in found["days"])]
        ),
    )


@worker.command("publish")
@click.argument("wallet")
@click.option("--hide", is_flag=True, help="Take badge and page back.")
@given
def worker_publish(context: Context, wallet: str, hide: bool) -> None:
    """Let anyone see a worker's badge and status page."""
    context.show(context.client.workers.publish(wallet, public=not hide))


@worker.command("retire")
@click.argument("wallet")
@click.option("--yes", is_flag=True, help="Do not ask.")
@given
def worker_retire(context: Context, wallet: str, yes: bool) -> None:
    """Retire a worker; enrolling it again revives it."""
    confirm(f"Retire {wallet}?", yes)
    context.client.workers.retire(wallet)
    context.show({"wallet": wallet, "retired": True}, f"{wallet} is retired")


# ── Stacks ───────────────────────────────────────────────────────────────────────────────────────────
@click.group(cls=Group)
def stack() -> None:
    """Deploy a node that publishes its endpoint, and the API service that needs it."""


@stack.command("ls")
@_ITEMS
@given
def stack_listed(context: Context, limit: int) -> None:
    """List all environments' stacks."""
    context.rows(context.client.stacks.list(), ("environment", "kind", "status", "endpoint", "updated_at"), limit)


@stack.command("show")
@click.argument("environment")
@_KIND
@given
def stack_show(context: Context, environment: str, kind: Any) -> None:
    """Show a stack with its events."""
    context.show(context.client.stacks.get(environment, kind))


@stack.command("up")
@click.argument("environment")
@_KIND
@click.option("--spec", type=click.File("r"), help="A file of JSON: image, env, resources, preferences …")
@click.option("--image", help="Instead of the file's or the default.")
@click.option("--env", "variables", multiple=True, metavar="NAME=VALUE", help="A variable, once for each.")
@wait_options
@given
def stack_up(
    context: Context,
    environment: str,
    kind: Any,
    spec: Any,
    image: str | None,
    variables: tuple[str, ...],
    no_wait: bool,
    timeout: float,
) -> None:
    """Deploy a stack, or change it to what is described, and wait until it is up."""
    body: dict[str, Any] = json.load(spec) if spec else {}
    if image:
        body["image"] = image
    if variables:
        body["env"] = body.get("env", {}) | dict(entry.partition("=")[::2] for entry in variables)
    answer: Any = context.client.stacks.up(environment, kind, body)  # type: ignore[arg-type]
    _stack_ended(context, answer, environment, kind, no_wait, timeout)


@stack.command("restart")
@click.argument("environment")
@_KIND
@wait_options
@given
def stack_restart(context: Context, environment: str, kind: Any, no_wait: bool, timeout: float) -> None:
    """Deploy a stack anew."""
    answer: Any = context.client.stacks.restart(environment, kind)
    _stack_ended(context, answer, environment, kind, no_wait, timeout)


@stack.command("down")
@click.argument("environment")
@_KIND
@click.option("--yes", is_flag=True, help="Do not ask.")
@wait_options
@given
def stack_down(context: Context, environment: str, kind: Any, yes: bool, no_wait: bool, timeout: float) -> None:
    """Take a stack down."""
    confirm(f"Take {environment}/{kind} down?", yes)
    answer: Any = context.client.stacks.down(environment, kind)
    try:
        _stack_ended(context, answer, environment, kind, no_wait, timeout)
    except SlipwayError as error:
        if error.code != "NOT_FOUND":
            raise
        context.show({"environment": environment, "kind": kind, "status": "deleted"})


@stack.command("endpoint")
@click.argument("environment")
@given
def stack_endpoint(context: Context, environment: str) -> None:
    """Show the endpoint that the node has published."""
    context.show(context.client.stacks.endpoint(environment))


def _stack_ended(
    context: Context, answer: dict[str, Any], environment: str, kind: Any, no_wait: bool, timeout: float
) -> None:
    if not no_wait and answer["status"] not in _STACK_ENDED:
        answer = until(
            context,
            lambda client: client.stacks.get(environment, kind),
            lambda found: found["status"] in _STACK_ENDED,
            timeout,
        )
    context.show(succeeded(context, {**answer, "stack": f"{environment}/{kind}"}, "stack"))


# ── Webhooks and keys ────────────────────────────────────────────────────────────────────────────────
@click.group(cls=Group)
def webhook() -> None:
    """Have Slipway post what happens to addresses of yours."""


@webhook.command("ls")
@given
def webhook_listed(context: Context) -> None:
    """List your webhooks."""
    context.rows(context.client.webhooks.list(), ("id", "url", "events", "format", "disabled_reason"))


@webhook.command("add")
@click.argument("url")
@click.argument("events", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["standard", "slack", "discord"]))
@click.option("--all", "everybodys", is_flag=True, help="Events of everybody's things.")
@click.option("--secret-file", type=click.Path(dir_okay=False), help="Write the secret there (0600) alone.")
@given
def webhook_add(
    context: Context, url: str, events: tuple[str, ...], form: Any, everybodys: bool, secret_file: str | None
) -> None:
    """Make a webhook for events such as worker.* or deployment.completed; the URL may be mailto:a@example.com."""
    made = context.client.webhooks.create(url, events, format=form, all=everybodys)
    _secret_shown(context, dict(made), "secret", secret_file)


@webhook.command("rm")
@click.argument("webhook_id")
@given
def webhook_rm(context: Context, webhook_id: str) -> None:
    """Delete a webhook."""
    context.client.webhooks.delete(webhook_id)
    context.show({"id": webhook_id, "deleted": True}, f"{webhook_id} is deleted")


@webhook.command("confirm")
@click.argument("webhook_id")
@click.argument("code")
@given
def webhook_confirm(context: Context, webhook_id: str, code: str) -> None:
    """Confirm an e-mail address by the code that came to it."""
    context.show(context.client.webhooks.confirm(webhook_id, code))


@webhook.command("test")
@click.argument("webhook_id")
@given
def webhook_test(context: Context, webhook_id: str) -> None:
    """Have a test message sent."""
    context.show(context.client.webhooks.test(webhook_id))


@webhook.command("rotate")
@click.argument("webhook_id")
@click.option("--secret-file", type=click.Path(dir_okay=False), help="Write the secret there (0600) alone.")
@given
def webhook_rotate(context: Context, webhook_id: str, secret_file: str | None) -> None:
    """Make a new secret; both sign for 24 hours."""
    _secret_shown(context, dict(context.client.webhooks.rotate(webhook_id)), "secret", secret_file)


@webhook.command("log")
@click.argument("webhook_id")
@given
def webhook_log(context: Context, webhook_id: str) -> None:
    """List what was sent in the last seven days, with every try."""
    deliveries: Any = context.client.webhooks.deliveries(webhook_id)
    context.rows(deliveries, ("id", "type", "attempts"))


@click.group(cls=Group)
def key() -> None:
    """Make API keys, for CI and servers."""


@key.command("ls")
@given
def key_listed(context: Context) -> None:
    """List your API keys."""
    context.rows(context.client.keys.list(), ("id", "name", "scopes", "expires_at", "last_used_at"))


@key.command("make")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="Such as deployments:write, once for each.")
@click.option("--days", type=float, help="How long it is good; by default until it is deleted.")
@click.option("--secret-file", type=click.Path(dir_okay=False), help="Write the key there (0600) alone.")
@given
def key_make(context: Context, name: str, scopes: tuple[str, ...], days: float | None, secret_file: str | None) -> None:
    """Make an API key; it is shown this once."""
    ends = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds") if days else None
    made = context.client.keys.create(name, scopes, expires_at=ends.replace("+00:00", "Z") if ends else None)
    _secret_shown(context, dict(made), "key", secret_file)


@key.command("rm")
@click.argument("key_id")
@given
def key_rm(context: Context, key_id: str) -> None:
    """Delete an API key."""
    context.client.keys.delete(key_id)
    context.show({"id": key_id, "deleted": True}, f"{key_id} is deleted")


def _secret_shown(context: Context, made: dict[str, Any], name: str, file: str | None) -> None:
    """Show what was made; its secret only where it is not to be in a file."""
    if file and made[name] is not None:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(f"{made.pop(name)}\n")
        Path(file).chmod(0o600)
    context.show(made)


# ── Providers ────────────────────────────────────────────────────────────────────────────────────────
@click.command(cls=Command)
@click.option("--region")
@click.option("--gpu")
@click.option("--max-price", help="US dollars an hour.")
@click.option("--audited-only", is_flag=True)
@_ITEMS
@given
def providers(
    context: Context, region: str | None, gpu: str | None, max_price: str | None, audited_only: bool, limit: int
) -> None:
    """List Akash providers."""
    found = context.client.providers.list(
        region=region, gpu_type=gpu, max_price=max_price, audited_only=audited_only or None
    )
    context.rows(found, ("address", "name", "region", "online", "audited"), limit)


# ── Administrators ───────────────────────────────────────────────────────────────────────────────────
@click.group(cls=Group)
def admin() -> None:
    """Administrate the installation."""


_SINCE = click.option("--since", help="ISO 8601.")
_UNTIL = click.option("--until", "until_", help="ISO 8601.")
_REASON = click.option("--reason", required=True, help="For the audit trail.")


@admin.command("audit")
@click.option("--user")
@click.option("--model")
@click.option("--outcome")
@_SINCE
@_UNTIL
@_ITEMS
@given
def admin_audit(
    context: Context,
    user: str | None,
    model: str | None,
    outcome: str | None,
    since: str | None,
    until_: str | None,
    limit: int,
) -> None:
    """List every attempt, accepted or refused."""
    found = context.client.admin.audit(user=user, model=model, outcome=outcome, since=since, until=until_)
    context.rows(found, ("at", "user", "action", "subject", "outcome"), limit)


@admin.command("deployments")
@click.option("--user")
@click.option("--model")
@click.option("--status")
@_SINCE
@_UNTIL
@_ITEMS
@given
def admin_deployments(
    context: Context,
    user: str | None,
    model: str | None,
    status: str | None,
    since: str | None,
    until_: str | None,
    limit: int,
) -> None:
    """List deployments of all users."""
    found = context.client.admin.deployments(user=user, model=model, status=status, since=since, until=until_)
    context.rows(found, ("deployment_id", "kind", "status", "owner", "created_at"), limit)


@admin.command("metrics")
@click.argument("service", required=False)
@_SINCE
@_UNTIL
@given
def admin_metrics(context: Context, service: str | None, since: str | None, until_: str | None) -> None:
    """Show how a service did."""
    context.show(context.client.admin.metrics(service, since=since, until=until_))


@admin.command("gas")
@click.option("--user", help="The jobs of one wallet.")
@click.option("--transactions", is_flag=True, help="The newest transactions instead of each wallet's sums.")
@_SINCE
@_UNTIL
@given
def admin_gas(context: Context, user: str | None, transactions: bool, since: str | None, until_: str | None) -> None:
    """Show what users' jobs cost on chains, in wei; by default in the last 31 days."""
    found = context.client.admin.gas(user=user, since=since, until=until_)
    if found["truncated"]:
        context.note("There were more transactions than are counted: these are the newest.")
    if transactions:
        columns = ("at", "wallet", "kind", "job_id", "purpose", "chain_id", "currency", "cost", "transaction_hash")
        context.rows(found["transactions"], columns)
    else:
        rows = [{"wallet": one["wallet"], **cost} for one in found["wallets"] for cost in one["costs"]]
        context.rows(rows, ("wallet", "chain_id", "currency", "transactions", "gas_used", "cost"))


@admin.command("pause")
@click.argument("service")
@_REASON
@given
def admin_pause(context: Context, service: str, reason: str) -> None:
    """Pause a service."""
    context.show(context.client.admin.pause(service, reason))


@admin.command("resume")
@click.argument("service")
@_REASON
@given
def admin_resume(context: Context, service: str, reason: str) -> None:
    """Resume a service."""
    context.show(context.client.admin.resume(service, reason))


@admin.command("model")
@click.argument("model")
@click.option("--owner", required=True, metavar="ADDRESS")
@click.option("--state", type=click.Choice(["registered", "validated", "rejected"]), default="validated")
@click.option("--contributor", "contributors", multiple=True, metavar="ADDRESS")
@click.option("--metric", "metrics", multiple=True, metavar="NAME=NUMBER")
@given
def admin_model(
    context: Context, model: str, owner: str, state: Any, contributors: tuple[str, ...], metrics: tuple[str, ...]
) -> None:
    """Write a model into the catalogue."""
    try:
        measured = {name: float(value) for name, _, value in (entry.partition("=") for entry in metrics)}
    except ValueError:
        raise click.BadParameter("a metric is NAME=NUMBER", param_hint="--metric") from None
    entry: Any = {"owner": owner, "state": state, "contributors": [*contributors], "metrics": measured}
    context.show(context.client.admin.set_model(model, entry))


@admin.command("budgets")
@click.option("--set", "limits", multiple=True, metavar="NAME=LIMIT", help="Change one; NAME= resets it.")
@given
def admin_budgets(context: Context, limits: tuple[str, ...]) -> None:
    """Show what is used of every budget, and what is left."""
    changes = {name: value or None for name, _, value in (entry.partition("=") for entry in limits)}
    answer = context.client.admin.set_budgets(changes) if changes else context.client.admin.budgets()
    context.rows(answer["budgets"], ("name", "unit", "limit", "used", "open", "left", "resets_at"))


@admin.command("limits")
@click.option("--set", "change", type=click.File("r"), help='A file of JSON: {"tiers": {…}, "wallets": {…}}.')
@given
def admin_limits(context: Context, change: Any) -> None:
    """Show the limits of tiers and wallets, or change them."""
    limits = context.client.admin
    context.show(limits.set_limits(json.load(change)) if change else limits.limits())


@admin.command("wallet")
@click.argument("wallet")
@given
def admin_wallet(context: Context, wallet: str) -> None:
    """Show whether a wallet is blocked."""
    context.show(context.client.admin.wallet(wallet))


@admin.command("block")
@click.argument("wallet")
@_REASON
@given
def admin_block(context: Context, wallet: str, reason: str) -> None:
    """Refuse everything that a wallet asks."""
    context.show(context.client.admin.block(wallet, reason))


@admin.command("unblock")
@click.argument("wallet")
@_REASON
@given
def admin_unblock(context: Context, wallet: str, reason: str) -> None:
    """Take a block back."""
    context.show(context.client.admin.unblock(wallet, reason))


@admin.command("end-sessions")
@click.argument("wallet")
@given
def admin_end_sessions(context: Context, wallet: str) -> None:
    """End all sessions of a wallet."""
    context.show(context.client.admin.end_sessions(wallet))


def add_to(group: click.Group) -> None:
    """Add these commands to the command line."""
    for command in (worker, stack, webhook, key, providers, admin):
        group.add_command(command)
