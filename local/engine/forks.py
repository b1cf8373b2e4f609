"""Gap 5: here the processes of all functions import their modules on the same few processors.

On AWS each has its own. So a process is forked from one that has imported the function's code and waits (`templates`).
``python forks.py HANDLER`` stands for ``python -m awslambdaric HANDLER``: it asks for a fork, hands it its output, and
ends as the fork ends; the fork ends with it. Where the system has no pidfd_open, or nobody answers, it becomes
``python -m awslambdaric`` itself. It imports little, for it runs at each start.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import time
import zlib
from contextlib import suppress
from typing import NoReturn

CLIENT = "awslambdaric"
MESSAGE_BYTES = 1 << 17
"""Of a request, most of which is the environment; the function's own variables are at most 4 KB."""
STREAMS = 3
START_SECONDS = 20
_PAUSE_SECONDS = 0.01
_KILLED = signal.SIGKILL.value


def request(handler: str) -> bytes:
    """Return what a fork needs to know of this process."""
    return b"\0".join([handler.encode(), os.fsencode(os.getcwd()), *(b"%b=%b" % pair for pair in os.environb.items())])


def read(message: bytes) -> tuple[str, str, dict[bytes, bytes]]:
    """Return the handler, the directory and the environment of a request."""
    handler, directory, *pairs = message.split(b"\0")
    environment = {name: value for name, _, value in (pair.partition(b"=") for pair in pairs)}
    return handler.decode(), os.fsdecode(directory), environment


def start(handler: str) -> NoReturn:
    """Run a function in a fork and end as that ends; become an ordinary process where that can't be."""
    with suppress(OSError):
        _end_like(_ask(handler))
    python = sys.executable
    os.execv(python, [python, "-m", CLIENT, handler])  # noqa: S606 (a shell would be one process more)


def _ask(handler: str) -> int:
    """Ask for a fork and wait for its end; return the status that the system gave it.

    Raises:
        OSError: No fork was made.
    """
    with _connect() as connection:
        socket.send_fds(connection, [request(handler)], list(range(STREAMS)))
        if not connection.recv(1):
            raise ConnectionError("no fork was made")
        with suppress(OSError):
            return int(connection.recv(64) or _KILLED)
        # Its template was ended, and it was with that.
        return _KILLED


def _end_like(status: int) -> NoReturn:
    """End this process with the status of another, also where that was a signal."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(abs(code))


def _connect() -> socket.socket:
    """Return a connection to the root of these layers, which is started if there is none."""
    layers = os.environ.get("PYTHONPATH", "").partition(os.pathsep)[2]
    name = f"forks-{zlib.crc32(layers.encode()):08x}"
    back = os.getcwd()
    # The whole path of a socket may have some 100 characters.
    os.chdir(os.environ["TMPDIR"])
    try:
        with suppress(OSError):
            return _connected(name)
        if sys.platform != "linux":
            raise OSError("this system can't wait for a process that is not a child")
        engine = os.pidfd_open(os.getppid())
        with open(f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with suppress(OSError):
                return _connected(name)
            return _first(name, layers, engine)
    finally:
        os.chdir(back)


def _connected(name: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MESSAGE_BYTES)
        connection.connect(name)
    except OSError:
        connection.close()
        raise
    return connection


def _first(name: str, layers: str, engine: int) -> socket.socket:
    """Start the root and connect to it."""
    with suppress(FileNotFoundError):
        os.unlink(name)
    os.set_inheritable(engine, True)
    here = os.getcwd()
    # From there it imports its own module.
    os.chdir(os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "local.engine.templates", here, name, str(engine)],
        {**os.environ, "PYTHONPATH": layers},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.path.join(here, f"{name}.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )
    os.chdir(here)
    ends_at = time.monotonic() + START_SECONDS
    while time.monotonic() < ends_at and not os.waitpid(process, os.WNOHANG)[0]:
        with suppress(OSError):
            return _connected(name)
        time.sleep(_PAUSE_SECONDS)
    raise TimeoutError("the root does not listen")


if __name__ == "__main__":
    start(sys.argv[1])
