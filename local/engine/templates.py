"""The processes that `forks` asks: a template has imported one function's code and forks a process for each request.

Templates are forked from a root, which has imported the libraries that most functions use, once for all functions with
the same layers. Neither ever handles an event, so a fork has what a new process would have: its own environment
variables, no connection, no client that was used. The root ends with the engine, and its templates and all forks with
it. Run by the Python that holds AWS's runtime client alone, so all that is imported here is the standard library.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from local.engine.forks import CLIENT, MESSAGE_BYTES, START_SECONDS, STREAMS, read

_LIBRARIES = (
    *("boto3", "botocore.endpoint", "botocore.httpsession", "pydantic", "pynamodb.transactions", "fastapi", "mangum"),
    *("httpx", "aws_lambda_powertools.logging", "aws_lambda_powertools.metrics", "simplejson"),
    # These are imported where they are first used, which most processes come to.
    *("httpcore", "anyio._backends._asyncio", "Crypto.Hash.keccak", "cryptography.hazmat.backends.openssl.backend"),
)
_LATER = {
    "DeploymentsFunction": ("slipway.akash.service", "slipway.akash.changes", "slipway.akash.status.service"),
    "IdentityFunction": ("slipway.identity.sign_in",),
}
"""What a function imports while it handles an event, and few of its processes never."""
_PR_SET_PDEATHSIG = 1
_WAITING = 128
_OF_A_PROCESS = frozenset(
    {
        *(b"AWS_LAMBDA_RUNTIME_API", b"AWS_LAMBDA_LOG_STREAM_NAME", b"_", b"SHLVL", b"PWD", b"OLDPWD"),
        *(b"AWS_ACCESS_KEY_ID", b"AWS_SECRET_ACCESS_KEY", b"AWS_SESSION_TOKEN"),
    }
)
"""What differs between the processes of a function, and is read when they handle an event at the earliest."""


class Forks:
    """What this process waits for: its forks among it."""

    def __init__(self) -> None:
        # One of epoll would be shared with the forks.
        self._selector = selectors.PollSelector()

    def watch(self, what: int | socket.socket, then: Callable[[], None]) -> None:
        """Do something whenever this can be read."""
        self._selector.register(what, selectors.EVENT_READ, then)

    def close(self, what: int | socket.socket) -> None:
        """Close it, and wait for it no longer."""
        with suppress(KeyError, ValueError):
            self._selector.unregister(what)
            os.close(what) if isinstance(what, int) else what.close()

    def fork(self, child: Callable[[], None], ended: Callable[[int], None]) -> int:
        """Fork a process that does one thing and ends; return its id. ``ended`` gets the status that it ended with."""
        parent = os.getpid()
        process = os.fork()
        if not process:
            os._exit(self._status(child, parent))
        end = os.pidfd_open(process)

        def reap() -> None:
            self.close(end)
            ended(os.waitpid(process, 0)[1])

        self.watch(end, reap)
        return process

    def _status(self, child: Callable[[], None], parent: int) -> int:
        """Return the exit status of a new process that does this."""
        try:
            # As `local.processes.end_with_parent`, which imports more than the standard library.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:  # It ended before the request was in place.
                os.kill(os.getpid(), signal.SIGKILL)
            for key in list(self._selector.get_map().values()):
                self.close(key.fileobj)  # type: ignore[arg-type]
            self._selector.close()
            child()
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
            return 1
        finally:
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
        return 0

    def serve(self) -> None:
        """Do what comes, for ever."""
        while True:
            for key, _ in self._selector.select():
                # What came before it may have closed it.
                if self._selector.get_map().get(key.fd) is key:
                    key.data()


def _import(names: tuple[str, ...]) -> None:
    """Import what there is of these; what fails here fails in the fork, which says so as any process would."""
    for name in names:
        with suppress(BaseException):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


class Root:
    """Forks a template for each function that is asked for, and hands requests over to them, until the engine ends."""

    def __init__(self, name: str, engine: int) -> None:
        """Listen.

        Args:
            name: Of the socket, in this directory.
            engine: A descriptor of its process.
        """
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        before = os.umask(0o077)
        self._listener.bind(name)
        os.umask(before)
        self._listener.listen(_WAITING)
        self._engine = engine
        self._forks = Forks()
        self._templates: dict[object, socket.socket] = {}

    def serve(self) -> None:
        """Import the libraries, then take requests."""
        _import(_LIBRARIES)
        self._forks.watch(self._engine, lambda: os._exit(0))
        self._forks.watch(self._listener, self._accept)
        self._forks.serve()

    def _accept(self) -> None:
        connection = self._listener.accept()[0]
        connection.settimeout(START_SECONDS)
        streams: list[int] = []
        try:
            message, streams, _, _ = socket.recv_fds(connection, MESSAGE_BYTES, STREAMS)
            if len(streams) == STREAMS:
                self._hand_over(message, [connection.fileno(), *streams])
        except OSError:
            traceback.print_exc()
        finally:
            connection.close()
            for stream in streams:
                os.close(stream)

    def _hand_over(self, message: bytes, descriptors: list[int]) -> None:
        handler, directory, environment = read(message)
        kept = frozenset((name, value) for name, value in environment.items() if name not in _OF_A_PROCESS)
        key = (handler, directory, kept)
        if key not in self._templates:
            self._templates[key] = self._new(key, message, descriptors)
        socket.send_fds(self._templates[key], [message], descriptors)

    def _new(self, key: object, message: bytes, descriptors: list[int]) -> socket.socket:
        """Fork a template; return where it takes requests."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MESSAGE_BYTES)

        def child() -> None:
            for other in (ours, *self._templates.values()):
                other.close()
            for descriptor in descriptors:
                os.close(descriptor)
            Template(theirs, message).serve()

        self._forks.fork(child, lambda _: self._templates.pop(key).close())
        theirs.close()
        return ours


class Template:
    """Has imported a function's code, and forks a process for each request, as long as the root lives."""

    def __init__(self, requests: socket.socket, first: bytes) -> None:
        """Import the code.

        Args:
            requests: Where they come from, each with a connection to who asked, and three streams.
            first: One of them.
        """
        handler = _become(first)
        code = os.environ["PYTHONPATH"].partition(os.pathsep)[0]
        # As with -m: the directory comes first, then PYTHONPATH.
        sys.path[:0] = [str(Path.cwd()), code]
        real = os.environ.get("SLIPWAY_REAL_HANDLER", handler)
        # Not AWS's client: it reads the engine's address where it is imported.
        function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
        later = (module for name, modules in _LATER.items() if name in function for module in modules)
        _import((real.rpartition(".")[0], *later))
        self._requests = requests
        self._forks = Forks()

    def serve(self) -> None:
        """Take requests."""
        self._forks.watch(self._requests, self._take)
        self._forks.serve()

    def _take(self) -> None:
        message, descriptors, _, _ = socket.recv_fds(self._requests, MESSAGE_BYTES, 1 + STREAMS)
        if not message:
            sys.exit()
        descriptor, *streams = descriptors
        connection = socket.socket(fileno=descriptor)

        def child() -> None:
            connection.close()
            _work(message, streams)

        def ended(status: int) -> None:
            with suppress(OSError):
                connection.send(str(status).encode())
            self._forks.close(connection)

        def gone() -> None:
            """End the fork with the process that asked for it, which says nothing until then."""
            self._forks.close(connection)
            os.kill(process, signal.SIGKILL)

        process = self._forks.fork(child, ended)
        for stream in streams:
            os.close(stream)
        self._forks.watch(connection, gone)
        with suppress(OSError):
            connection.send(b"1")


def _become(message: bytes) -> str:
    """Take the environment and the directory of who asked; return the handler."""
    handler, directory, environment = read(message)
    os.environb.clear()
    os.environb.update(environment)
    os.chdir(directory)
    return handler


def _work(message: bytes, streams: list[int]) -> None:
    """Be the process that was asked for."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.argv = [CLIENT, _become(message)]
    importlib.import_module(f"{CLIENT}.__main__").main(sys.argv)


if __name__ == "__main__":
    # The project's own directory, from which this was imported; functions do not see it.
    del sys.path[0]
    os.chdir(sys.argv[1])
    Root(sys.argv[2], int(sys.argv[3])).serve()
