"""The guard of all tests: nothing leaves this machine."""

from __future__ import annotations

import socket

import pytest
import requests


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("169.254.169.254", 80)])
def test_a_connection_to_elsewhere_is_stopped(address: tuple[str, int]) -> None:
    with socket.socket() as client, pytest.raises(RuntimeError, match="tests stay on this machine"):
        client.connect(address)
    with socket.socket() as client, pytest.raises(RuntimeError, match="tests stay on this machine"):
        client.connect_ex(address)


def test_an_elsewhere_of_the_other_family_is_stopped() -> None:
    with socket.socket(socket.AF_INET6) as client, pytest.raises(RuntimeError, match="tests stay on this machine"):
        client.connect(("2001:db8::1", 80))


def test_a_look_up_of_a_real_name_is_stopped() -> None:
    with pytest.raises(RuntimeError, match=r"look up 'numer\.ai'"):
        requests.get("https://numer.ai", timeout=1)


def test_a_reserved_name_is_unknown() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("nobody.invalid", 80)
