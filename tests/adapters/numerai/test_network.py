"""Which addresses may be contacted; the socket's peer decides, not a name."""

from __future__ import annotations

import socket

import pytest

from numebot.adapters.numerai.api_settings import ApiSettings
from numebot.adapters.numerai.network import AddressPolicy, is_loopback_host, is_public_ip
from numebot.adapters.numerai.transport import Operation, Transport
from numebot.core.errors import ConfigError, Unavailable

from .conftest import HurriedClock

QUERY = Operation("rounds", "query { rounds { number } }")


class Names:
    """A resolver that gives each next look-up the next answer, and remembers who was looked up."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        self.asked.append(host)
        address = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]


@pytest.mark.parametrize(
    "ip",
    ["10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "239.1.1.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "::", "::1", "fe80::1", "fc00::1", "ff02::1",
     "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0", "no address"],
)  # fmt: skip
def test_addresses_inside_the_house_are_not_public(ip: str) -> None:
    assert not is_public_ip(ip)


@pytest.mark.parametrize("ip", ["8.8.8.8", "52.216.1.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(ip: str) -> None:
    assert is_public_ip(ip)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "::1"])
def test_this_machine_is_recognised(host: str) -> None:
    assert is_loopback_host(host)


@pytest.mark.parametrize("host", ["localhost.example.com", "127.0.0.1.example.com", "numer.ai", "10.0.0.1"])
def test_names_that_only_look_like_this_machine_are_not(host: str) -> None:
    assert not is_loopback_host(host)


@pytest.mark.parametrize("answer", ["127.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "fd00::1"])
def test_a_public_name_that_leads_inside_the_house_is_not_contacted(answer: str, clock: HurriedClock) -> None:
    settings = ApiSettings(url="https://api.example.com")
    policy = AddressPolicy(api_host=settings.host, resolver=Names(answer))

    with pytest.raises(Unavailable, match="not a public address"):
        Transport(settings, clock, policy).query(QUERY, {}, tries=1)


@pytest.mark.parametrize("spelling", ["127.1", "0x7f000001", "2130706433", "017700000001"])
def test_odd_spellings_of_this_machine_do_not_slip_through(spelling: str) -> None:
    policy = AddressPolicy(api_host="api.example.com", resolver=Names("127.0.0.1"))

    with pytest.raises(Unavailable):
        policy.endpoints(spelling, 443, timeout_s=1, plain=False)


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to(clock: HurriedClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # A rebinding name: harmless when it is checked, something else for whoever asks again.
        names = Names("127.0.0.1", "10.0.0.1")
        settings = ApiSettings(url=f"http://localhost:{listener.getsockname()[1]}", read_timeout_s=0.2)
        policy = AddressPolicy(api_host=settings.host, resolver=names)

        with pytest.raises(Unavailable, match="no answer within"):
            Transport(settings, clock, policy).query(QUERY, {}, tries=1)

        listener.settimeout(1)
        listener.accept()[0].close()
    assert names.asked == ["localhost"]


def test_plain_http_never_leaves_this_machine_even_when_localhost_is_redefined() -> None:
    policy = AddressPolicy(api_host="localhost", resolver=Names("52.216.1.1"))

    with pytest.raises(Unavailable, match="not a public address"):
        policy.endpoints("localhost", 80, timeout_s=1, plain=True)


def test_of_several_addresses_only_the_permitted_ones_are_used() -> None:
    def resolver(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", (ip, port)) for ip in ("10.0.0.1", "52.216.1.1", "127.0.0.1")]

    found = AddressPolicy(api_host="api.example.com", resolver=resolver).endpoints(
        "files.example.com", 443, timeout_s=1, plain=False
    )

    assert [endpoint.ip for endpoint in found] == ["52.216.1.1"]


def test_without_a_list_any_public_host_is_allowed() -> None:
    policy = AddressPolicy(api_host="api.example.com")

    for url in ("https://bucket.s3.amazonaws.com/x", "https://files.anything.example/x?y", "https://52.216.1.1/x"):
        policy.check_url(url, "file")


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://numer.ai/x", True),
        ("https://files.numer.ai/x", True),
        ("https://api.example.com/x", True),
        ("https://evilnumer.ai/x", False),
        ("https://numer.ai.evil.com/x", False),
        ("https://numer.ai@evil.com/x", False),
        ("https://evil.com\\@numer.ai/x", False),
    ],
)
def test_a_list_of_hosts_is_held(url: str, is_allowed: bool) -> None:
    policy = AddressPolicy(api_host="api.example.com", allowed_hosts=("numer.ai",))

    if is_allowed:
        policy.check_url(url, "file")
    else:
        with pytest.raises(Unavailable):
            policy.check_url(url, "file")


def test_the_refusal_names_the_setting_and_no_signature() -> None:
    policy = AddressPolicy(api_host="api.example.com", allowed_hosts=("numer.ai",))

    with pytest.raises(Unavailable, match="allowed_hosts") as failure:
        policy.check_url("https://evil.com/x?X-Amz-Signature=CANARY", "file")
    assert "CANARY" not in str(failure.value)


def test_this_machine_may_be_contacted_only_when_the_api_is_on_it() -> None:
    AddressPolicy(api_host="127.0.0.1").check_url("http://127.0.0.1:9/x", "file")

    with pytest.raises(Unavailable, match="this machine"):
        AddressPolicy(api_host="api.example.com").check_url("https://127.0.0.1:9/x", "file")


@pytest.mark.parametrize("url", ["http://api-tournament.numer.ai", "ftp://x", "nonsense", "", "https://me:pw@numer.ai"])
def test_an_api_address_that_cannot_work_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigError, match="url"):
        ApiSettings(url=url)


@pytest.mark.parametrize(("public_id", "secret_key"), [("ONLYPUB", None), (None, "ONLYSECRET"), ("ONLYPUB", "")])
def test_half_a_key_is_refused(public_id: str | None, secret_key: str | None) -> None:
    with pytest.raises(ConfigError, match="two halves") as failure:
        ApiSettings(public_id=public_id, secret_key=secret_key)
    assert "ONLY" not in str(failure.value)


def test_all_problems_of_the_settings_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as failure:
        ApiSettings(url="ftp://x", public_id="x", read_timeout_s=0, total_timeout_s=-1)
    assert len(failure.value.problems) == 4


def test_the_settings_print_no_secret() -> None:
    settings = ApiSettings(public_id="CANARY1", secret_key="CANARY2", proxy="http://me:CANARY3@proxy:3128")

    assert "CANARY" not in repr(settings)
