"""Gap 4: the engine listens on every interface, and its API addresses do not resolve everywhere.

`BIND_HOST` keeps it on loopback. Its own addresses, `<id>.execute-api.localhost`, are unknown to many resolvers, so
`local.front_door` serves the API at a plain `http://localhost:8000` and asks the engine by path.
"""

from __future__ import annotations

from pathlib import Path

from local.paths import ROOT
from local.uv import python_of

LOOPBACK = "127.0.0.1"
REGION = "us-east-1"
ACCOUNT = "000000000000"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def endpoint(port: int) -> str:
    """Return where the engine answers AWS calls."""
    return f"http://{LOOPBACK}:{port}"


def client_environment(port: int) -> dict[str, str]:
    """Return the variables that point an AWS tool or SDK at the engine, and away from the developer's own account."""
    return {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint(port),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def command() -> list[str]:
    """Return the command that starts the engine, from the environment that holds only it."""
    return [str(python_of("ministack")), str(ROOT / "local" / "engine" / "waits.py")]


def settings(port: int, scratch: Path, wait_scale: str = "1", kept: Path | None = None) -> dict[str, str]:
    """Return the engine's own settings. No function may see them: its bootstrap drops these names."""
    keeping = {"PERSIST_STATE": "1", "STATE_DIR": str(kept / "engine"), "S3_PERSIST": "1"} if kept else {}
    return {
        **CREDENTIALS,
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "S3_DATA_DIR": str((kept or scratch) / "s3"),
        **keeping,
        "SFN_WAIT_SCALE": wait_scale,
        # Idle execution environments beyond a function's first end after this many seconds.
        "LAMBDA_WARM_TTL_SECONDS": "120",
        # Servers that Slipway does not use and that would take more ports.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # It would look for leftovers of its own among the developer's containers.
        "DOCKER_HOST": f"unix://{scratch}/no-docker.sock",
    }


def environment(port: int, scratch: Path, wait_scale: str = "1", kept: Path | None = None) -> dict[str, str]:
    """Return the whole environment of the engine's process.

    The engine hands its environment on to every function, so it is built from nothing: not one variable of the
    developer's shell gets in.

    Args:
        port: Where it listens.
        scratch: Its directory for temporary files.
        wait_scale: Factor for the pauses of state machines.
        kept: Where it saves everything when it ends and reads it when it starts; None to forget it.
    """
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "AWS_ENDPOINT_URL": endpoint(port),
        **settings(port, scratch, wait_scale, kept),
    }
