"""Reading and connection: each fault of a GraphQL call, and what ours makes of it."""

from __future__ import annotations

import logging
import socket
import ssl
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from numebot.adapters.clock import SystemClock
from numebot.adapters.numerai.api_settings import ApiSettings
from numebot.adapters.numerai.client import NumeraiClient
from numebot.adapters.numerai.envelope import SchemaMismatch
from numebot.adapters.numerai.exchange import open_session
from numebot.adapters.numerai.network import AddressPolicy
from numebot.adapters.numerai.transport import Operation, Transport, pause_before_retry
from numebot.adapters.numerai.wire import Limits, Wire
from numebot.core.errors import AccessDenied, Ambiguous, ConfigError, Rejected, RoundClosed, Unavailable

from .conftest import PUBLIC_ID, SECRET_KEY, HurriedClock
from .fault_server import FaultServer, close, data, drip, errors, hang, head, http, raw, reset

QUERY = Operation("listDatasets", "query { listDatasets(round: 1) }")
PRIVATE = Operation("account", "query { account { id } }", needs_key=True)
MUTATION = Operation("setUserBio", "mutation { setUserBio(value: 1) }", needs_key=True)
GOOD = data({"listDatasets": ["x"]})

Make = Callable[..., NumeraiClient]
PAGE = http("<html><body><h1>Down for maintenance</h1></body></html>", Content_Type="text/html")


def ask(client: NumeraiClient, operation: Operation = QUERY) -> object:
    return client.transport.query(operation, {}).data[operation.root]


@pytest.mark.parametrize(
    "fault",
    [
        close,
        reset,
        hang,
        PAGE,
        http("", 200),
        http("[]"),
        http('{"data": null}'),
        http("not json"),
        http('{"data": {"listDatasets"'),
        http("Bad gateway", 502),
        http("{}", 503),
        errors("Internal server error", status=500),
        errors("Request timed out"),
        http("slow down", 429),
        errors("You have exceeded the rate limit"),
        raw(b"\x00\x01\x02 no http at all\r\n\r\n"),
    ],
)
def test_a_query_survives_one_bad_answer(fault: object, server: FaultServer, client: NumeraiClient) -> None:
    server.on("listDatasets", fault, GOOD)  # type: ignore[arg-type]

    assert ask(client) == ["x"]
    assert server.count("listDatasets") == 2


@pytest.mark.parametrize("fault", [close, hang, PAGE, http("", 502), http("[]"), http('{"data": null}')])
def test_a_query_that_never_succeeds_is_unavailable_after_few_tries(
    fault: object, server: FaultServer, client: NumeraiClient, clock: HurriedClock
) -> None:
    server.on("listDatasets", fault)  # type: ignore[arg-type]

    with pytest.raises(Unavailable):
        ask(client)

    assert server.count("listDatasets") == 3
    assert len(clock.waits) == 2
    assert 0.5 <= clock.waits[0] <= 1.0 <= clock.waits[1] <= 2.0


def test_a_drip_cannot_beat_the_total_deadline(server: FaultServer, make_client: Make) -> None:
    server.on("listDatasets", drip(head(200, {"Content-Length": "1000"}) + b" " * 1000))
    client = make_client(total_timeout_s=0.6)

    began = time.perf_counter()
    with pytest.raises(Unavailable, match="not finished within"):
        ask(client)

    assert time.perf_counter() - began < 2.0


def test_a_drip_in_the_body_cannot_beat_the_total_deadline(server: FaultServer, make_client: Make) -> None:
    def reply(connection: socket.socket, stop: object) -> None:
        connection.sendall(head(200, {"Content-Length": "1000"}))
        drip(b" " * 1000)(connection, stop)  # type: ignore[arg-type]

    server.on("listDatasets", reply)

    with pytest.raises(Unavailable, match="not finished within"):
        ask(make_client(total_timeout_s=0.5))


def test_the_budget_bounds_all_retries_together(server: FaultServer, make_client: Make, clock: HurriedClock) -> None:
    server.on("listDatasets", http("", 503))

    with pytest.raises(Unavailable):
        ask(make_client(total_timeout_s=1.5))

    assert sum(clock.waits) <= 1.5
    assert server.count("listDatasets") == 2


def test_a_refused_connection_is_unavailable_in_words(clock: HurriedClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = NumeraiClient(ApiSettings(url=f"http://127.0.0.1:{port}"), clock)

    with pytest.raises(Unavailable, match="refused"):
        ask(client)


def test_a_failing_name_lookup_is_unavailable_for_queries_and_for_mutations(clock: HurriedClock) -> None:
    settings = ApiSettings(url="https://api.numerai.invalid", public_id=PUBLIC_ID, secret_key=SECRET_KEY)
    transport = Transport(settings, clock)

    with pytest.raises(Unavailable, match="Name or service not known"):
        transport.query(QUERY, {})
    with pytest.raises(Unavailable) as failure:
        transport.mutate(MUTATION, {})
    assert not isinstance(failure.value, Ambiguous)


def test_a_resolver_that_hangs_is_given_up_after_the_connect_timeout(clock: HurriedClock) -> None:
    settings = ApiSettings(url="https://api.numerai.invalid", connect_timeout_s=0.2)
    policy = AddressPolicy(api_host=settings.host, resolver=lambda *_, **__: SystemClock().wait(3) or [])

    with pytest.raises(Unavailable, match="no connection within"):
        Transport(settings, clock, policy).query(QUERY, {}, tries=1)


def test_retry_after_is_honoured(server: FaultServer, client: NumeraiClient, clock: HurriedClock) -> None:
    server.on("listDatasets", http("", 429, Retry_After="7"), GOOD)

    assert ask(client) == ["x"]
    assert 7.0 <= clock.waits[0] <= 7.5


def test_a_retry_after_beyond_the_budget_is_handed_to_the_caller_and_capped(
    server: FaultServer, client: NumeraiClient, clock: HurriedClock
) -> None:
    server.on("listDatasets", http("", 429, Retry_After="86400"))

    with pytest.raises(Unavailable) as failure:
        ask(client)

    assert failure.value.retry_after_s == 900.0
    assert clock.waits == []
    assert server.count("listDatasets") == 1


def test_pauses_are_jittered() -> None:
    assert len({pause_before_retry(1, None) for _ in range(5)}) > 1
    assert len({pause_before_retry(1, 3.0) for _ in range(5)}) > 1


def test_an_empty_list_of_errors_is_no_error(server: FaultServer, client: NumeraiClient) -> None:
    server.on("listDatasets", http('{"data": {"listDatasets": ["x"]}, "errors": []}'))

    assert ask(client) == ["x"]


@pytest.mark.parametrize("status", [200, 400, 401])
def test_the_words_of_an_error_survive_on_every_status(
    status: int, server: FaultServer, client: NumeraiClient
) -> None:
    server.on("account", errors("You must be authenticated", status=status))

    with pytest.raises(AccessDenied, match="You must be authenticated"):
        ask(client, PRIVATE)
    assert server.count("account") == 1


def test_a_forbidden_request_is_no_verdict_on_what_was_sent(server: FaultServer, client: NumeraiClient) -> None:
    server.on("setUserBio", errors("blocked by a rule", status=403))

    with pytest.raises(AccessDenied, match="blocked by a rule"):
        client.transport.mutate(MUTATION, {})


def test_all_messages_are_kept_verbatim(server: FaultServer, client: NumeraiClient) -> None:
    server.on("account", errors("invalid_submission_ids: first", "second thing"))

    with pytest.raises(Rejected) as failure:
        ask(client, PRIVATE)
    assert failure.value.reasons == ("invalid_submission_ids: first", "second thing")


def test_an_error_beside_partial_data_is_not_taken_for_data(server: FaultServer, client: NumeraiClient) -> None:
    server.on("account", errors("could not load models", beside={"account": {"id": "1"}}))

    with pytest.raises(Rejected, match="could not load models"):
        ask(client, PRIVATE)


def test_a_redirect_of_the_api_is_not_followed(server: FaultServer, client: NumeraiClient) -> None:
    server.on("listDatasets", http("", 302, Location=f"{server.url}/elsewhere"))
    server.on("GET /elsewhere", GOOD)
    server.on("setUserBio", http("", 307, Location=f"{server.url}/elsewhere"))

    with pytest.raises(Unavailable, match="redirect"):
        ask(client)
    with pytest.raises(Ambiguous):
        client.transport.mutate(MUTATION, {})
    assert server.count("GET /elsewhere") == 0
    assert server.count("setUserBio") == 1


def test_netrc_and_proxies_of_the_environment_are_ignored(
    server: FaultServer, client: NumeraiClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password CANARYNETRC\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.on("account", data({"account": {"id": "1"}}))
    naive = requests.Session().prepare_request(requests.Request("POST", server.url))

    assert ask(client, PRIVATE) == {"id": "1"}
    assert server.requests[0].headers["authorization"] == f"Token {PUBLIC_ID}${SECRET_KEY}"
    assert naive.headers["Authorization"].startswith("Basic ")


def test_a_proxy_named_in_the_settings_is_used(server: FaultServer, clock: HurriedClock) -> None:
    server.on("GET /", GOOD)
    settings = ApiSettings(
        url="https://api.numerai.invalid", public_id=PUBLIC_ID, secret_key=SECRET_KEY, proxy=server.url
    )
    transport = Transport(settings, clock)

    with pytest.raises(Unavailable):
        transport.query(QUERY, {}, tries=1)
    with pytest.raises(Unavailable) as failure:
        transport.mutate(MUTATION, {})

    assert [request.method for request in server.requests] == ["CONNECT", "CONNECT"]
    assert server.requests[0].path == "api.numerai.invalid:443"
    # the proxy's greeting is not the request: nothing was sent that could have been executed
    assert not isinstance(failure.value, Ambiguous)


def test_the_key_is_sent_only_where_it_is_needed(server: FaultServer, client: NumeraiClient) -> None:
    server.on("listDatasets", GOOD)

    ask(client)

    assert "authorization" not in server.requests[0].headers


def test_without_a_key_nothing_private_is_asked(server: FaultServer, make_client: Make) -> None:
    client = make_client(public_id=None, secret_key=None)

    with pytest.raises(AccessDenied, match="PUBLIC_ID"):
        ask(client, PRIVATE)
    assert server.requests == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Current round not open for submissions", RoundClosed),
        ("Round 1404 is closed", RoundClosed),
        ("Your session is invalid or has expired.", AccessDenied),
        ("API key is not authorized for this action: it lacks the scope upload_submission", AccessDenied),
        ("missing permission", AccessDenied),
        ("invalid_submission_values: must not contain NaNs", Rejected),
        ("Token symbol BTC is not part of the universe", Rejected),
        ('Cannot query field "errorInfo" on type "V2Submission".', SchemaMismatch),
        ('Variable "x" is never used.', SchemaMismatch),
    ],
)
def test_words_of_refusal_say_what_to_do(
    message: str, expected: type[Exception], server: FaultServer, client: NumeraiClient
) -> None:
    server.on("setUserBio", errors(message))

    with pytest.raises(expected) as failure:
        client.transport.mutate(MUTATION, {})
    assert type(failure.value) is expected
    assert message in str(failure.value)
    assert server.count("setUserBio") == 1


@pytest.mark.parametrize(
    "fault",
    [
        close, reset, hang, PAGE, http("", 500), http("", 502), http("<html>", 403), http("[]"), http('{"data": null}'),
        http('{"data": {}}', 504), errors("Internal server error", status=500), errors("Request timed out"),
        http('{"errors": {"detail": "Internal Server Error"}}', 500), http('{"data": {"setUserBio": '),
        drip(head(200, {"Content-Length": "1000"}) + b" " * 1000),
    ],
)  # fmt: skip
def test_a_mutation_is_sent_once_and_without_a_usable_answer_it_is_ambiguous(
    fault: object, server: FaultServer, make_client: Make
) -> None:
    server.on("setUserBio", fault)  # type: ignore[arg-type]

    with pytest.raises(Ambiguous):
        make_client(total_timeout_s=0.8).transport.mutate(MUTATION, {})
    assert server.count("setUserBio") == 1


def test_a_mutation_refused_for_its_rate_is_not_ambiguous(server: FaultServer, client: NumeraiClient) -> None:
    server.on("setUserBio", http("", 429, Retry_After="5"))

    with pytest.raises(Unavailable) as failure:
        client.transport.mutate(MUTATION, {})
    assert not isinstance(failure.value, Ambiguous)
    assert failure.value.retry_after_s == 5.0


def test_a_mutation_that_never_left_is_not_ambiguous(clock: HurriedClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = ApiSettings(url=f"http://127.0.0.1:{port}", public_id=PUBLIC_ID, secret_key=SECRET_KEY)

    with pytest.raises(Unavailable) as failure:
        Transport(settings, clock).mutate(MUTATION, {})
    assert not isinstance(failure.value, Ambiguous)


def test_a_mutation_whose_result_came_with_words_beside_it_was_executed(
    server: FaultServer, client: NumeraiClient
) -> None:
    server.on("setUserBio", errors("a note", beside={"setUserBio": True}))

    assert client.transport.mutate(MUTATION, {}).data["setUserBio"] is True


def tls_server(own_certificate: tuple[Path, Path]) -> FaultServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own_certificate)
    return FaultServer(context)


def test_an_untrusted_certificate_is_refused_before_anything_is_sent(
    own_certificate: tuple[Path, Path], clock: HurriedClock
) -> None:
    with tls_server(own_certificate) as server:
        server.on("setUserBio", data({"setUserBio": True}))
        settings = ApiSettings(url=server.url, public_id=PUBLIC_ID, secret_key=SECRET_KEY)

        with pytest.raises(Unavailable, match="certificate") as failure:
            Transport(settings, clock).mutate(MUTATION, {})

    assert not isinstance(failure.value, Ambiguous)
    assert server.requests == []


def test_verification_cannot_be_switched_off(own_certificate: tuple[Path, Path], clock: HurriedClock) -> None:
    with tls_server(own_certificate) as server:
        settings = ApiSettings(url=server.url)
        wire = Wire(clock, Limits(1, 1, 5), AddressPolicy(api_host="127.0.0.1"))
        with open_session(settings, wire) as session:
            session.verify = False
            with pytest.raises(ConfigError, match="cannot be switched off"):
                session.get(server.url)
    assert server.requests == []


def test_an_authority_named_in_the_settings_is_trusted(
    own_certificate: tuple[Path, Path], clock: HurriedClock
) -> None:
    with tls_server(own_certificate) as server:
        server.on("listDatasets", GOOD)
        client = NumeraiClient(ApiSettings(url=server.url, ca_file=str(own_certificate[0])), clock)

        assert ask(client) == ["x"]


def test_an_encrypted_drip_cannot_beat_the_deadline_either(
    own_certificate: tuple[Path, Path], clock: HurriedClock
) -> None:
    with tls_server(own_certificate) as server:
        server.on("listDatasets", drip(head(200, {"Content-Length": "1000"}) + b" " * 1000))
        settings = ApiSettings(url=server.url, ca_file=str(own_certificate[0]), total_timeout_s=0.5)

        with pytest.raises(Unavailable, match="not finished within"):
            ask(NumeraiClient(settings, clock))


def test_no_secret_stands_in_any_text(
    server: FaultServer, make_client: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="numebot")
    client = make_client(total_timeout_s=2.0)
    texts = [repr(client.settings), str(client.settings)]
    echo = f"bad Token {PUBLIC_ID}${SECRET_KEY} or {SECRET_KEY}"
    for fault in (close, reset, hang, http(echo, 500), errors(echo), errors(echo, status=401), http(echo)):
        server.on("account", fault)
        server.on("setUserBio", fault)
        for action in (lambda: ask(client, PRIVATE), lambda: client.transport.mutate(MUTATION, {})):
            with pytest.raises((Unavailable, Rejected, AccessDenied)) as failure:
                action()
            error = failure.value
            texts += [str(error), repr(error), "".join(traceback.format_exception(error)), str(vars(error))]

    assert SECRET_KEY not in "\n".join([*texts, caplog.text])
    assert PUBLIC_ID not in "\n".join([*texts, caplog.text])


def test_an_endless_answer_is_not_read_to_the_end(server: FaultServer, client: NumeraiClient) -> None:
    def endless(connection: socket.socket, stop: object) -> None:
        connection.sendall(head(200, {}))
        for _ in range(100):
            connection.sendall(b" " * 1024 * 1024)

    server.on("listDatasets", endless)

    with pytest.raises(Unavailable, match="not read"):
        client.transport.query(QUERY, {}, tries=1)
