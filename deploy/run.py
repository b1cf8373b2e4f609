"""The steps of a deployment, each idempotent: a run that was interrupted is run again from the start."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from deploy import contracts
from deploy.parameters import installation_parameters
from deploy.secrets import find_secret, put_secret
from deploy.settings import SECRET_PARAMETERS, Settings
from deploy.stack import ChangeSet, Stack, StackError, package_bucket, upload_template


class Tools(Protocol):
    """What a deployment does on this machine."""

    def build(self, settings: Settings) -> Path:
        """Build the template and its code; return the built template."""

    def package(self, template: Path, bucket: str) -> Path:
        """Upload the code that a built template names; return the packaged template."""

    def publish_dashboard(self, settings: Settings, outputs: dict[str, str]) -> list[str]:
        """Publish the dashboard, or say what to do; return lines of what is left to do."""

    def smoke(self, settings: Settings, outputs: dict[str, str]) -> bool:
        """Check the installation from outside."""


class DeployError(Exception):
    """The deployment stops here; says why and what to do."""


@dataclass
class Deployment:
    """One installation's deployment.

    Args:
        settings: Its file.
        clients: Returns a boto3 client by service.
        tools: What is done on this machine.
        state: A directory for what is known of an unfinished deployment.
        stack: Its CloudFormation stack.
        say: Prints a line.
    """

    settings: Settings
    clients: Callable[[str], Any]
    tools: Tools
    state: Path
    stack: Stack
    say: Callable[[str], None]
    left: list[str] = field(default_factory=list)

    def plan(self) -> bool:
        """Say what a deployment would change; change nothing.

        Returns:
            Whether a deployment could go on: nothing would be lost or replaced unseen.
        """
        account = self._account()
        outputs = self.stack.outputs()
        for secret in sorted(self._secrets()):
            exists = find_secret(self.clients("secretsmanager"), self._secret_name(secret))
            self.say(f"Secret   {self._secret_name(secret)}: {'updated if it differs' if exists else 'made'}")
        url = self._upload(account)
        proposed = self.stack.propose(
            url, installation_parameters(self.settings, outputs, self._planned_arns()), self.settings.tags
        )
        self._show(proposed)
        self.stack.discard(proposed)
        if not outputs:
            self.say("Then     a second pass sets PublicUrl, TokenIssuer and SignInDomains to the API's own address")
        key = self.settings.administrator_key
        self.say(f"Contracts on {self.settings.token_chain['name']}: {'installed if missing' if key else 'by hand'}")
        return not proposed.dangers()

    def deploy(self, allowed: frozenset[str] = frozenset()) -> dict[str, str]:
        """Deploy all of it.

        Args:
            allowed: Logical ids of tables, keys and buckets that may be replaced or removed.

        Returns:
            The stack's outputs.

        Raises:
            DeployError, StackError: It stopped; run it again when that is mended.
        """
        account = self._account()
        arns = self._put_secrets()
        url = self._upload(account)
        outputs = self._put_stack(url, arns, allowed)
        self._contracts(outputs)
        self.left += self.tools.publish_dashboard(self.settings, outputs)
        if not self.tools.smoke(self.settings, outputs):
            self.left.append("Look at the checks that failed above, then run `make smoke` again.")
        self._summary(outputs)
        return outputs

    def destroy(self, *, confirmed: bool) -> None:
        """Say what stays, and delete the stack if that is confirmed. What is irreplaceable stays and costs on."""
        from deploy.stack import IRREPLACEABLE

        if not self.stack.outputs():
            raise DeployError(f"there is no stack {self.stack.name} in {self.settings.region}")
        kept = [entry for entry in self.stack.resources() if entry[1] in IRREPLACEABLE]
        self.say("These stay, with what they hold; delete them by hand when you are sure:")
        for logical_id, kind, physical_id in kept:
            self.say(f"  {kind:<24} {logical_id:<18} {physical_id}")
        for name in sorted(self._secrets()):
            self.say(f"  {'Secret':<24} {self._secret_name(name)}")
        self.say("On chain, contracts and tokens stay for good. Workloads on Akash go on: close them first.")
        if not confirmed:
            self.say(f"Nothing was deleted. CONFIRM={self.settings.name} deletes the stack {self.stack.name}.")
            return
        self.stack.delete()
        self.say(f"Deleted the stack {self.stack.name}.")

    def _account(self) -> str:
        return str(self.clients("sts").get_caller_identity()["Account"])

    def _secret_name(self, name: str) -> str:
        return f"slipway/{self.settings.parameters['StageName']}/{name.replace('_', '-')}"

    def _secrets(self) -> dict[str, str]:
        """Return the values that go to Secrets Manager, by name."""
        roles = {address: wallet.model_dump() for address, wallet in self.settings.wallets.items()}
        return {
            "chains": json.dumps(self.settings.chains),
            "wallet_roles": json.dumps(roles),
            **self.settings.secret_values,
        }

    def _put_secrets(self) -> dict[str, str]:
        client = self.clients("secretsmanager")
        for name, value in self._secrets().items():
            put_secret(client, self._secret_name(name), value, self.settings.tags)
        return self._planned_arns()

    def _planned_arns(self) -> dict[str, str]:
        """Return the parameters that name secrets: those that are there, and for a plan those that will be."""
        client = self.clients("secretsmanager")
        declared = {"chains": "ChainsSecretArn", "wallet_roles": "WalletRolesSecretArn"} | {
            name: parameter
            for name, parameter in SECRET_PARAMETERS.items()
            if getattr(self.settings.secrets, name) is not None
        }
        found = {
            parameter: find_secret(client, self._secret_name(name))
            or f"arn:aws:secretsmanager:{self.settings.region}:{self._account()}:secret:{self._secret_name(name)}"
            for name, parameter in declared.items()
        }
        # Functions read them when they start: another content starts them anew.
        text = json.dumps([self._secrets()["chains"], self._secrets()["wallet_roles"]])
        return {**found, "ConfigurationDigest": hashlib.sha256(text.encode()).hexdigest()[:16]}

    def _upload(self, account: str) -> str:
        s3 = self.clients("s3")
        bucket = package_bucket(s3, account, self.settings.region)
        packaged = self.tools.package(self.tools.build(self.settings), bucket)
        return upload_template(s3, bucket, packaged, self.settings.region)

    def _put_stack(self, url: str, arns: dict[str, str], allowed: frozenset[str]) -> dict[str, str]:
        outputs = self.stack.outputs()
        while True:
            parameters = installation_parameters(self.settings, outputs, arns)
            proposed = self.stack.propose(url, parameters, self.settings.tags)
            self._show(proposed)
            if dangers := proposed.dangers(allowed):
                self.stack.discard(proposed)
                names = ", ".join(change.logical_id for change in dangers)
                raise DeployError(
                    f"{names} would be replaced or removed, with what they hold. Nothing was changed; if that is "
                    f"wanted, run it again with ALLOW={names.replace(' ', '')}"
                )
            outputs = self.stack.execute(proposed)
            # The first deployment learns the API's address, and the second pass gives it to the functions.
            if installation_parameters(self.settings, outputs, arns) == parameters:
                return outputs
            self.say("Second pass: the installation learns its own address")

    def _show(self, proposed: ChangeSet) -> None:
        if not proposed.changes:
            self.say(f"Stack    {self.stack.name} has nothing to change")
        for change in proposed.changes:
            self.say(f"Stack    {change}")

    def _contracts(self, outputs: dict[str, str]) -> None:
        known = contracts.read(self.settings, outputs, self.clients("kms"))
        if self.settings.administrator_key is None:
            self.left += contracts.by_hand(self.settings, known, outputs)
            return
        from slipway.chain.administration import InstallError

        try:
            installed = contracts.install(self.settings, known, self.state / f"{self.settings.name}.json")
        except (InstallError, ValueError) as error:
            raise DeployError(f"the contracts are not installed: {error}. Run it again to resume") from error
        self.say(f"Contracts: registry {installed.model_registry}, manager {installed.token_manager}")
        if installed.escrow:
            self.say(f"Escrow: {installed.escrow}")

    def _summary(self, outputs: dict[str, str]) -> None:
        self.say("")
        for name in ("ApiUrl", "WebSocketUrl", "OneAddressUrl", "DeadLettersUrl"):
            if name in outputs:
                self.say(f"{name:<16} {outputs[name]}")
        if self.left:
            self.say("Left to do:")
            for line in self.left:
                self.say(f"  {line}")


__all__ = ["DeployError", "Deployment", "StackError", "Tools"]
