"""What a deployment does on this machine: SAM's build and upload, the dashboard, the smoke check."""

from __future__ import annotations

import mimetypes
import os
from pathlib import Path
from typing import Any

import boto3

from deploy.settings import Settings
from deploy.smoke import check
from local import build
from local.failures import LaunchError
from local.paths import LOGS, ROOT, SHARED, STAMPS
from local.processes import run
from local.progress import step
from local.uv import environment

_BUILT = SHARED / "deploy"
_WEB = ROOT / "web"
_FOR_GOOD = "public, max-age=31536000, immutable"


class AwsTools:
    """The tools for AWS itself."""

    def build(self, settings: Settings) -> Path:
        """Build for the file's architecture, apart from the local stack's build."""
        target = _BUILT / settings.architecture
        STAMPS.mkdir(parents=True, exist_ok=True)
        with build.one_at_a_time():
            build.make_environments("sam")
            command = [
                str(environment("sam") / "bin" / "sam"), "build",
                "--build-dir", str(target), "--cache-dir", str(_BUILT / f"cache-{settings.architecture}"),
                "--parameter-overrides", f"ParameterKey=Architecture,ParameterValue={settings.architecture}",
            ]  # fmt: skip
            with step(f"Building with SAM for {settings.architecture}"):
                variables = {**build.sam_environment(), "SLIPWAY_ARCHITECTURE": settings.architecture}
                run(command, LOGS / "deploy-build.log", cwd=ROOT, environment=variables, doing="sam build")
        return target / "template.yaml"

    def package(self, template: Path, bucket: str) -> Path:
        """Upload code and layers, each named for its content."""
        packaged = template.with_name("packaged.yaml")
        package(template, packaged, bucket, {**build.sam_environment(), **_aws_environment()})
        return packaged

    def publish_dashboard(self, settings: Settings, outputs: dict[str, str]) -> list[str]:
        """Publish it to its bucket, or say what Vercel needs."""
        api = outputs.get("OneAddressUrl") or outputs["ApiUrl"]
        streams = outputs["WebSocketUrl"] if api == outputs["ApiUrl"] else api.replace("https:", "wss:", 1)
        chain = settings.token_chain
        variables = {
            "VITE_API_URL": api, "VITE_CHAIN_ID": str(chain["chain_id"]), "VITE_CHAIN_NAME": str(chain["name"]),
            "VITE_STREAM_URL": streams,
            "VITE_CHAIN_EXPLORER_URL": str(chain.get("explorer_url") or ""),
            "VITE_BUILD_CHAINS": ",".join(f"{entry['chain_id']}:{entry['name']}" for entry in settings.chains),
            "VITE_WALLETCONNECT_PROJECT_ID": settings.dashboard.walletconnect_project_id,
            "VITE_COINBASE_WALLET": "yes" if settings.dashboard.coinbase_wallet else "no",
        }  # fmt: skip
        if settings.dashboard.publish == "none":
            return []
        if settings.dashboard.publish == "print":
            listed = ", ".join(f"{name}={value}" for name, value in variables.items())
            return [f"Dashboard on Vercel: import this repository with the root directory web and {listed}"]
        with step("Building and publishing the dashboard"):
            target = _BUILT / "dashboard"
            plain = {name: value for name, value in os.environ.items() if not name.startswith("VITE_")}
            for command in (
                ["npm", "ci", "--no-audit", "--no-fund"],
                ["npx", "vite", "build", "--outDir", str(target)],
            ):
                log = LOGS / "deploy-dashboard.log"
                run(command, log, cwd=_WEB, environment={**plain, **variables}, doing=" ".join(command))
            upload_site(boto3.client("s3", region_name=settings.region), outputs["DashboardBucketName"], target)
        return []

    def smoke(self, settings: Settings, outputs: dict[str, str]) -> bool:
        """Check the installation from outside."""
        api = outputs.get("OneAddressUrl") or outputs["ApiUrl"]
        return check(api, domain=None, chain_id=settings.token_chain["chain_id"])


def package(template: Path, packaged: Path, bucket: str, variables: dict[str, str]) -> None:
    """Run `sam package`.

    Raises:
        LaunchError: It failed; names the log.
    """
    command = [
        str(environment("sam") / "bin" / "sam"), "package", "--template-file", str(template),
        "--output-template-file", str(packaged), "--s3-bucket", bucket, "--no-progressbar",
    ]  # fmt: skip
    run(command, LOGS / "package.log", cwd=template.parent, environment=variables, doing="sam package")


def _aws_environment() -> dict[str, str]:
    """Return the caller's AWS variables, which builds do not get."""
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


def upload_site(s3: Any, bucket: str, site: Path) -> None:
    """Put a built site into a bucket: what is named for its content first and for good, pages last.

    Raises:
        LaunchError: There is no built page.
    """
    page = site / "index.html"
    if not page.is_file():
        raise LaunchError(f"{site} has no index.html: the dashboard is not built")
    files = sorted((path for path in site.rglob("*") if path.is_file()), key=lambda path: (path == page, str(path)))
    for path in files:
        key = path.relative_to(site).as_posix()
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        keep = _FOR_GOOD if key.startswith("assets/") else "no-cache"
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), ContentType=kind, CacheControl=keep)
