# Written from _async by `make openapi`; do not edit.
"""The rest of the API: what a caller has, and what operators and administrators do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from slipway_client import types
from slipway_client._sync.jobs import Resource, _given

StackKind = Literal["node", "api"]


class Models(Resource):
    """`/api/models`: models that the caller owns or contributes to."""

    def list(self, *, limit: int | None = None) -> Iterator[types.ModelView]:
        """Yield the caller's models, with their token and every refusal that a launch would get."""
        return self._api.pages("GET /api/models", "models", query={"limit": limit})

    def get(self, model_id: str) -> types.ModelView:
        """Return one model."""
        return self._api.call("GET /api/models/{id}", {"id": model_id})


class Tokens(Resource):
    """`/api/tokens`: launched tokens."""

    def get(self, address: str) -> types.TokenView:
        """Return a token's supply, steward, transactions and verification."""
        return self._api.call("GET /api/tokens/{address}", {"address": address})

    def abi(self, address: str) -> list[dict[str, Any]]:
        """Return its contract's ABI."""
        return self._api.call("GET /api/tokens/{address}/abi", {"address": address})

    def metadata(self, address: str) -> dict[str, Any]:
        """Return the compiler's input, with which anybody can verify its contract."""
        return self._api.call("GET /api/tokens/{address}/metadata", {"address": address})

    def mint(self, address: str, to: str, amount: str) -> types.MintAnswer:
        """Return the transaction that mints, for the steward's wallet to sign; `amount` is in whole tokens."""
        body = {"to": to, "amount": amount}
        return self._api.call("POST /api/tokens/{address}/mint", {"address": address}, body=body)


class Providers(Resource):
    """`/api/providers` of Akash."""

    def list(
        self,
        *,
        region: str | None = None,
        gpu_type: str | None = None,
        max_price: str | None = None,
        audited_only: bool | None = None,
        online: bool | None = None,
        limit: int | None = None,
    ) -> Iterator[types.ProviderEntry]:
        """Yield the providers that fit."""
        query = {
            "region": region, "gpuType": gpu_type, "maxPrice": max_price, "auditedOnly": audited_only,
            "online": online, "limit": limit,
        }  # fmt: skip
        return self._api.pages("GET /api/providers", "providers", query=query)


class Workers(Resource):
    """`/workers`: machines that prove that they are alive."""

    def list(self, *, status: str | None = None, limit: int | None = None) -> Iterator[types.WorkerView]:
        """Yield the workers that the caller may see."""
        query = {"status": status, "limit": limit}
        return self._api.pages("GET /workers", "workers", query=query)

    def get(self, wallet: str) -> types.WorkerView:
        """Return one worker."""
        return self._api.call("GET /workers/{wallet}", {"wallet": wallet})

    def enrol(self) -> types.EnrolmentAnswer:
        """Return the code and the command that turn a machine into the worker of the caller's wallet."""
        return self._api.call("POST /workers", body={})

    def publish(self, wallet: str, *, public: bool) -> types.WorkerView:
        """Show or hide a worker's badge and status page."""
        return self._api.call("PATCH /workers/{wallet}", {"wallet": wallet}, body={"public": public})

    def retire(self, wallet: str) -> None:
        """Retire a worker; enrolling it again revives it."""
        self._api.call("DELETE /workers/{wallet}", {"wallet": wallet})

    def revoke(self, wallet: str) -> None:
        """Revoke a worker's token."""
        self._api.call("DELETE /workers/{wallet}/tokens", {"wallet": wallet})

    def uptime(self, wallet: str, *, since: str | None = None, until: str | None = None) -> types.UptimeAnswer:
        """Return when a worker was up, by days and in percent, between two times in ISO 8601."""
        query = {"from": since, "to": until}
        return self._api.call("GET /workers/{wallet}/uptime", {"wallet": wallet}, query=query)

    def setup_script(self, wallet: str) -> str:
        """Return the script that sets a worker up."""
        return self._api.call("GET /api/setup", query={"wallet": wallet}, text=True)


class Stacks(Resource):
    """`/api/stacks`: a node, and the API service that needs it, in each environment."""

    def list(self, *, limit: int | None = None) -> Iterator[types.StackSummary]:
        """Yield all environments' stacks."""
        return self._api.pages("GET /api/stacks", "stacks", query={"limit": limit})

    def get(self, environment: str, kind: StackKind) -> types.StackDetail:
        """Return a stack with its events."""
        path = {"environment": environment}
        if kind == "node":
            return self._api.call("GET /api/stacks/{environment}/node", path)
        return self._api.call("GET /api/stacks/{environment}/api", path)

    def up(
        self,
        environment: str,
        kind: StackKind,
        spec: types.NodeSpec | types.ApiSpec | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> types.StackAnswer:
        """Deploy a stack as it is described, or change it to that."""
        path, body = {"environment": environment}, spec or {}
        if kind == "node":
            return self._api.call("PUT /api/stacks/{environment}/node", path, body=body, key=idempotency_key)
        return self._api.call("PUT /api/stacks/{environment}/api", path, body=body, key=idempotency_key)

    def restart(self, environment: str, kind: StackKind, *, idempotency_key: str | None = None) -> types.StackAnswer:
        """Deploy a stack anew as it is described."""
        path = {"environment": environment}
        if kind == "node":
            return self._api.call("POST /api/stacks/{environment}/node/restart", path, key=idempotency_key)
        return self._api.call("POST /api/stacks/{environment}/api/restart", path, key=idempotency_key)

    def down(self, environment: str, kind: StackKind) -> types.StackAnswer:
        """Take a stack down."""
        path = {"environment": environment}
        if kind == "node":
            return self._api.call("DELETE /api/stacks/{environment}/node", path)
        return self._api.call("DELETE /api/stacks/{environment}/api", path)

    def endpoint(self, environment: str) -> dict[str, Any]:
        """Return the endpoint that the node has published."""
        return self._api.call("GET /api/stacks/{environment}/endpoint.json", {"environment": environment})

    def endpoint_signature(self, environment: str) -> dict[str, Any]:
        """Return its signature (JWS, general serialization)."""
        return self._api.call("GET /api/stacks/{environment}/endpoint.json.sig", {"environment": environment})


class Webhooks(Resource):
    """`/api/webhooks`: addresses of yours to which Slipway posts what happens."""

    def list(self) -> Sequence[types.WebhookView]:
        """Return the caller's webhooks."""
        answer: types.WebhookList = self._api.call("GET /api/webhooks")
        return answer["webhooks"]

    def create(
        self, url: str, events: Sequence[str], *, format: types.Format | None = None, all: bool = False
    ) -> types.WebhookCreated:
        """Make a webhook; its secret is in this answer alone. Not repeated by itself: it is not idempotent.

        Args:
            url: https, and public; or `mailto:` and an address, which its reader has to confirm.
            events: Types, or all of a kind: `worker.*`.
            format: `slack` and `discord` for their incoming webhooks; by default what the URL wants.
            all: Events of everybody's things, for operators and administrators.
        """
        body = _given(url=url, events=[*events], format=format, all=all)
        return self._api.call("POST /api/webhooks", body=body)

    def delete(self, webhook_id: str) -> None:
        """Delete a webhook."""
        self._api.call("DELETE /api/webhooks/{id}", {"id": webhook_id})

    def confirm(self, webhook_id: str, code: str) -> types.WebhookView:
        """Confirm an e-mail address by the code that was sent to it."""
        return self._api.call("POST /api/webhooks/{id}/confirm", {"id": webhook_id}, body={"code": code})

    def test(self, webhook_id: str) -> types.TestAnswer:
        """Have a test message sent."""
        return self._api.call("POST /api/webhooks/{id}/test", {"id": webhook_id})

    def rotate(self, webhook_id: str) -> types.SecretAnswer:
        """Return a new secret; both sign for 24 hours."""
        return self._api.call("POST /api/webhooks/{id}/secret", {"id": webhook_id})

    def deliveries(self, webhook_id: str) -> Sequence[types.DeliveryView]:
        """Return what was sent in the last seven days, with every try."""
        answer: types.DeliveryList = self._api.call("GET /api/webhooks/{id}/deliveries", {"id": webhook_id})
        return answer["deliveries"]


class Keys(Resource):
    """`/api/keys`: API keys for CI and servers. A key can't make keys."""

    def list(self) -> Sequence[types.KeyFacts]:
        """Return the caller's keys, without what is secret of them."""
        answer: types.KeyList = self._api.call("GET /api/keys")
        return answer["keys"]

    def create(self, name: str, scopes: Sequence[str], *, expires_at: str | None = None) -> types.KeyAnswer:
        """Make a key; it is in this answer alone. Not repeated by itself: it is not idempotent."""
        body = _given(name=name, scopes=[*scopes], expires_at=expires_at)
        return self._api.call("POST /api/keys", body=body)

    def delete(self, key_id: str) -> None:
        """Delete a key; it is refused from then on."""
        self._api.call("DELETE /api/keys/{key_id}", {"key_id": key_id})


class Projects(Resource):
    """`/deployments`: projects."""

    def list(
        self, *, status: str | None = None, creator: str | None = None, limit: int | None = None
    ) -> Iterator[types.Project]:
        """Yield projects, newest first."""
        query = {"status": status, "creator": creator, "limit": limit}
        return self._api.pages("GET /deployments", "deployments", query=query)

    def get(self, name: str) -> types.Project:
        """Return a project."""
        return self._api.call("GET /deployments/{name}", {"name": name})

    def create(self, project: types.NewProject, *, idempotency_key: str | None = None) -> types.Project:
        """Make a project."""
        return self._api.call("POST /deployments", body=project, key=idempotency_key)

    def set_status(self, name: str, status: types.ProjectStatus) -> types.Project:
        """Change a project's status."""
        return self._api.call("PATCH /deployments/{name}/status", {"name": name}, body={"status": status})

    def delete(self, name: str) -> None:
        """Delete a project."""
        self._api.call("DELETE /deployments/{name}", {"name": name})


class Payments(Resource):
    """`/payments` for projects."""

    def list(self, *, creator: str | None = None, limit: int | None = None) -> Iterator[types.Payment]:
        """Yield payments, newest first."""
        query = {"creator": creator, "limit": limit}
        return self._api.pages("GET /payments", "payments", query=query)

    def get(self, payment_id: str) -> types.Payment:
        """Return a payment."""
        return self._api.call("GET /payments/{id}", {"id": payment_id})

    def create(self, payment: types.NewPayment, *, idempotency_key: str | None = None) -> types.Payment:
        """Record a payment."""
        return self._api.call("POST /payments", body=payment, key=idempotency_key)


class Admin(Resource):
    """`/api/admin`, for administrators."""

    def audit(
        self,
        *,
        user: str | None = None,
        model: str | None = None,
        outcome: str | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int | None = None,
    ) -> Iterator[types.AuditEntry]:
        """Yield every attempt, accepted or refused, newest first."""
        query = {"user": user, "model": model, "outcome": outcome, "from": since, "to": until, "limit": limit}
        return self._api.pages("GET /api/admin/audit", "events", query=query)

    def deployments(
        self,
        *,
        user: str | None = None,
        model: str | None = None,
        status: str | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int | None = None,
    ) -> Iterator[types.DeploymentEntry]:
        """Yield deployments of all users, newest first."""
        query = {"user": user, "model": model, "status": status, "from": since, "to": until, "limit": limit}
        return self._api.pages("GET /api/admin/deployments", "deployments", query=query)

    def metrics(
        self, service: str | None = None, *, since: str | None = None, until: str | None = None
    ) -> types.MetricsAnswer:
        """Return how a service did."""
        return self._api.call("GET /api/admin/metrics", query={"service": service, "from": since, "to": until})

    def series(
        self, service: str | None = None, *, since: str | None = None, until: str | None = None, step: str | None = None
    ) -> types.SeriesAnswer:
        """Return how a service did over time, and the requests of the API."""
        query = {"service": service, "from": since, "to": until, "step": step}
        return self._api.call("GET /api/admin/metrics/series", query=query)

    def gas(self, *, user: str | None = None, since: str | None = None, until: str | None = None) -> types.GasAnswer:
        """Return what users' jobs cost on chains: by wallet, by day, and the newest transactions."""
        return self._api.call("GET /api/admin/gas", query={"user": user, "from": since, "to": until})

    def pause(self, service: str, reason: str) -> types.SwitchAnswer:
        """Pause a service: it refuses what is new, and ends what it has begun."""
        return self._api.call("POST /api/admin/{service}/pause", {"service": service}, body={"reason": reason})

    def resume(self, service: str, reason: str) -> types.SwitchAnswer:
        """Resume a service."""
        return self._api.call("POST /api/admin/{service}/resume", {"service": service}, body={"reason": reason})

    def set_model(self, model_id: str, model: types.ModelEntry) -> types.ModelAnswer:
        """Write a model into the catalogue."""
        return self._api.call("PUT /api/admin/models/{id}", {"id": model_id}, body=model)

    def budgets(self) -> types.BudgetsAnswer:
        """Return what is used of every budget, and what is left."""
        return self._api.call("GET /api/admin/budgets")

    def set_budgets(self, limits: Mapping[str, str | int | float | None]) -> types.BudgetsAnswer:
        """Set budgets by name; None goes back to the template's."""
        return self._api.call("PUT /api/admin/budgets", body=dict(limits))

    def limits(self) -> types.LimitsAnswer:
        """Return the limits of each tier, and of wallets that have limits of their own."""
        return self._api.call("GET /api/admin/limits")

    def set_limits(self, change: types.LimitsChange) -> types.LimitsAnswer:
        """Set limits of tiers and wallets; None takes them back."""
        return self._api.call("PUT /api/admin/limits", body=change)

    def wallet(self, wallet: str) -> types.StandingAnswer:
        """Return whether a wallet is blocked, and why."""
        return self._api.call("GET /api/admin/wallets/{wallet}", {"wallet": wallet})

    def block(self, wallet: str, reason: str) -> types.StandingAnswer:
        """Refuse everything that a wallet asks; what it has running goes on."""
        path, body = {"wallet": wallet}, {"reason": reason}
        return self._api.call("POST /api/admin/wallets/{wallet}/block", path, body=body)

    def unblock(self, wallet: str, reason: str) -> types.StandingAnswer:
        """Take a block back."""
        path, body = {"wallet": wallet}, {"reason": reason}
        return self._api.call("POST /api/admin/wallets/{wallet}/unblock", path, body=body)

    def end_sessions(self, wallet: str) -> types.StandingAnswer:
        """End all sessions of a wallet; it may sign in again."""
        return self._api.call("POST /api/admin/wallets/{wallet}/logout", {"wallet": wallet})
