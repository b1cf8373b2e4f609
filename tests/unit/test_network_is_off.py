"""This folder's promise: a unit test that opens a connection fails."""

import socket

import pytest
from pytest_socket import SocketBlockedError


def test_opening_a_socket_fails() -> None:
    with pytest.raises(SocketBlockedError):
        socket.create_connection(("127.0.0.1", 80), timeout=1)
