"""Threads for calls that one request makes at the same time."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context


class RequestThreads(ThreadPoolExecutor):
    """A pool whose calls have the context of the request that makes them, and so share its budget of seconds."""

    def submit[**Parameters, Value](
        self, call: Callable[Parameters, Value], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Value]:
        """Begin a call in a thread of its own."""
        context = copy_context()
        return super().submit(lambda: context.run(call, *args, **kwargs))
