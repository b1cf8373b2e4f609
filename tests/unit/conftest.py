"""Unit tests reach nothing: no socket but Unix ones, which event loops use inside the process."""

from collections.abc import Iterator

import hypothesis
import pytest
from pytest_socket import disable_socket, enable_socket

hypothesis.settings.register_profile("slipway", deadline=None, max_examples=60, derandomize=True)
hypothesis.settings.load_profile("slipway")


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
