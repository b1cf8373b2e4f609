"""The ports of a stack: all on loopback, each movable by an environment variable."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, fields, replace

from local.engine.server import LOOPBACK
from local.failures import LaunchError
from local.progress import say


@dataclass(frozen=True)
class Ports:
    """One port a service."""

    api: int = 8000
    dashboard: int = 3000
    aws: int = 4566
    chain: int = 8545
    second_chain: int = 8546
    console: int = 8600
    verifier: int = 8700

    @classmethod
    def from_environment(cls) -> Ports:
        """Read SLIPWAY_API_PORT and its like.

        Raises:
            LaunchError: A variable is not a port, or two services got the same one.
        """
        ports = cls(**{field.name: _port(field.name, int(str(field.default))) for field in fields(cls)})
        numbers = [getattr(ports, field.name) for field in fields(cls)]
        for number in numbers:
            if numbers.count(number) > 1:
                names = [variable(field.name) for field in fields(cls) if getattr(ports, field.name) == number]
                raise LaunchError(f"Port {number} is wanted twice: give {' and '.join(names)} different values.")
        return ports


def settled(ports: Ports) -> Ports:
    """Return the ports, with another one for the dashboard where something else has its own and nobody chose it.

    The usual port is that of most frontends' development servers.
    """
    if variable("dashboard") in os.environ or is_free(ports.dashboard):
        return ports
    (other,) = free_ports(1)
    say(f"Port {ports.dashboard} is in use by another program: the dashboard is at http://localhost:{other}.")
    return replace(ports, dashboard=other)


def variable(name: str) -> str:
    """Return the environment variable that moves a port."""
    return f"SLIPWAY_{name.upper()}_PORT"


def _port(name: str, default: int) -> int:
    text = os.environ.get(variable(name), str(default))
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise LaunchError(f"{variable(name)} is {text!r}, which is not a port: give it a number from 1 to 65535.")
    return int(text)


def require_free(ports: Ports, names: tuple[str, ...]) -> None:
    """Refuse to start where something else listens.

    Raises:
        LaunchError: Names the port and the variable that moves it.
    """
    for name in names:
        number = getattr(ports, name)
        if not is_free(number):
            raise LaunchError(
                f"Port {number} is in use by another program: end that, or choose another with {variable(name)}=… ."
            )


def is_free(port: int) -> bool:
    """Return whether this port of loopback can be listened on."""
    with socket.socket() as probe:
        # As the servers do: a connection that lingers after its server ended does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Return different ports of loopback that are free at this moment."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
