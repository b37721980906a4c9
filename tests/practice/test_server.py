"""The running server: its doors, its switches, its start and its end."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from numebot.adapters.clock import SystemClock
from numebot.core.errors import ConfigError
from numebot.practice.options import PracticeOptions
from numebot.practice.server import PracticeServer

Start = Callable[..., PracticeServer]
LIMIT_S = 10


def ask(server: PracticeServer, query: str, *, keys: bool = False, **options: Any) -> Any:
    headers = {"Authorization": f"Token {server.public_id}${server.secret_key}"} if keys else {}
    return requests.post(server.url, json={"query": query}, headers=headers, timeout=LIMIT_S, **options)


def test_a_round_is_played_over_http(practice: Start) -> None:
    server = practice(models=("my_model",))
    data = ask(server, '{ dataset(filename: "v5.3/live_example_preds.csv") account { models { id name } } }', keys=True)
    content = requests.get(data.json()["data"]["dataset"], timeout=LIMIT_S).content
    model_id = next(m["id"] for m in data.json()["data"]["account"]["models"] if m["name"] == "my_model")
    select = f'filename: "p.csv", tournament: 8, modelId: "{model_id}"'
    grant = ask(server, f"{{ submission_upload_auth({select}) {{ filename url }} }}", keys=True).json()["data"]
    filename = grant["submission_upload_auth"]["filename"]
    assert requests.put(grant["submission_upload_auth"]["url"], data=content, timeout=LIMIT_S).status_code == 200
    select = select.replace("p.csv", filename)
    created = ask(server, f"mutation {{ create_submission({select}) {{ id }} }}", keys=True).json()
    assert created["data"]["create_submission"]["id"]
    listed = server.world.submissions_of("my_model")
    assert [(each.filename, each.status, each.counts) for each in listed] == [(filename, "on-time", True)]


def test_only_the_loopback_is_listened_on(practice: Start) -> None:
    server = practice()
    assert server.url.startswith("http://127.0.0.1:")
    port = int(server.url.rpartition(":")[2])
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = [row[1].split(":")[0] for row in listening if row[3] == "0A" and row[1].endswith(f":{port:04X}")]
    assert [socket.inet_ntoa(struct.pack("<I", int(address, 16))) for address in addresses] == ["127.0.0.1"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "[broken"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/practice/state", "/practice/advance", "/storage/files/1/x"])
def test_a_foreign_web_page_is_not_let_in(rig_door: str, headers: dict[str, str], path: str) -> None:
    for verb in ("GET", "POST"):
        answer = requests.request(verb, rig_door + path, headers=headers, timeout=LIMIT_S)
        assert (answer.status_code, "practice tournament" in answer.text) == (403, True)


@pytest.fixture(scope="module")
def rig_door(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with PracticeServer(PracticeOptions(tmp_path_factory.mktemp("door"), scale="tiny")) as server:
        yield server.url


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_both_names_of_this_machine_work(rig_door: str, name: str) -> None:
    url = rig_door.replace("127.0.0.1", name)
    assert requests.get(url, headers={"Origin": url}, timeout=LIMIT_S).status_code == 200


def test_the_front_page_says_what_it_is_and_how_to_use_it(practice: Start) -> None:
    server = practice(open_late_minutes=5, speed=60)
    page = requests.get(server.url, timeout=LIMIT_S).text
    assert "nothing leaves the machine" in page
    assert f"NUMEBOT_API_URL={server.url}" in page
    assert server.public_id in page
    assert "is closed" in page
    assert "60 times as fast" in page
    server.world.advance_to_next_opening()
    assert "is open, deadline" in requests.get(server.url, timeout=LIMIT_S).text


def test_every_answer_is_dated_by_the_practice_clock(practice: Start) -> None:
    server = practice()
    server.clock.advance(timedelta(days=40))
    for answer in (
        ask(server, "{ rounds(number: 0) { number } }"),
        requests.get(f"{server.url}/practice/state", timeout=LIMIT_S),
        requests.get(f"{server.url}/nothing-here", timeout=LIMIT_S),
    ):
        shown = parsedate_to_datetime(answer.headers["Date"])
        assert abs(shown - server.clock.now()) < timedelta(seconds=5)
        assert "uvicorn" not in str(answer.headers).lower()


def test_the_clock_can_be_moved_to_the_deadline_and_the_next_opening(practice: Start) -> None:
    server = practice()

    def advance(content: object) -> Any:
        return requests.post(f"{server.url}/practice/advance", json=content, timeout=LIMIT_S).json()

    first = advance({"seconds": 0})["round"]
    closed = advance({"to": "deadline"})["round"]
    assert (first["phase"], closed["phase"], closed["number"]) == ("open", "closed", first["number"])
    opened = advance({"to": "next-opening"})
    assert (opened["round"]["number"], opened["round"]["phase"]) == (first["number"] + 1, "open")
    later = advance({"seconds": 90.5})
    moved = datetime.fromisoformat(later["clock"]["now"]) - datetime.fromisoformat(opened["clock"]["now"])
    assert moved >= timedelta(seconds=90.5)


@pytest.mark.parametrize(
    "content",
    ["x", {}, {"seconds": -1}, {"seconds": True}, {"seconds": 1e300}, {"to": "tomorrow"}, {"to": ["deadline"]}, [5]],
)
def test_a_wrong_step_of_the_clock_is_explained(rig_door: str, content: object) -> None:
    answer = requests.post(f"{rig_door}/practice/advance", json=content, timeout=LIMIT_S)
    assert answer.status_code == 422
    assert '{"to": "next-opening"}' in answer.json()["error"]


def test_faults_are_switched_on_shown_and_off_by_request(practice: Start) -> None:
    server = practice()
    switches = f"{server.url}/practice/faults"
    fault = {"kind": "data-null", "operation": "rounds", "times": 1}
    answer = requests.put(switches, json={"fault": [fault]}, timeout=LIMIT_S)
    assert answer.json() == {"fault": [{**fault, "seen": 0, "struck": 0}]}
    assert ask(server, "{ rounds(number: 0) { number } }").json() == {"data": None}
    assert requests.get(switches, timeout=LIMIT_S).json() == {"fault": [{**fault, "seen": 1, "struck": 1}]}
    requests.post(switches, json={"fault": [{"kind": "hang", "operation": "account"}]}, timeout=LIMIT_S)
    assert [each["kind"] for each in requests.get(switches, timeout=LIMIT_S).json()["fault"]] == ["data-null", "hang"]
    assert requests.delete(switches, timeout=LIMIT_S).json() == {"fault": []}
    assert ask(server, "{ account { id } }", keys=True).json()["data"]["account"]


def test_wrong_faults_are_all_named_and_change_nothing(practice: Start) -> None:
    server = practice()
    server.faults.clear()
    wrong = {"fault": [{"kind": "rest"}, {"kind": "reset", "operation": "round"}]}
    answer = requests.put(f"{server.url}/practice/faults", json=wrong, timeout=LIMIT_S)
    assert answer.status_code == 422
    assert ['did you mean "reset"' in answer.json()["problems"][0], 'mean "rounds"' in answer.json()["problems"][1]]
    assert server.faults.switched() == ()
    assert requests.put(f"{server.url}/practice/faults", data="{", timeout=LIMIT_S).status_code == 422


def test_faults_come_from_a_file_too(practice: Start, tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text('[[fault]]\nkind = "status"\nstatus = 503\noperation = "rounds"\n')
    server = practice(faults=path)
    assert ask(server, "{ rounds(number: 0) { number } }").status_code == 503
    assert ask(server, "{ listDatasets }").status_code == 200


def test_the_file_of_the_round_before_is_another_live_file(practice: Start) -> None:
    server = practice()
    number = server.world.calendar.current(server.clock.now()).number
    right = server.world.market.dataset_path("v5.3/live.parquet", number)
    url = ask(server, '{ dataset(filename: "v5.3/live.parquet") }').json()["data"]["dataset"]
    requests.put(
        f"{server.url}/practice/faults", json={"fault": [{"kind": "wrong-round", "times": 1}]}, timeout=LIMIT_S
    )
    wrong = requests.get(url, timeout=LIMIT_S).content
    assert wrong[:4] == wrong[-4:] == b"PAR1"
    assert wrong != right.read_bytes() == requests.get(url, timeout=LIMIT_S).content


def test_limits_of_requests_are_off_until_wished_for(practice: Start) -> None:
    free, limited = practice(), practice(has_rate_limits=True)
    assert [ask(free, "{ listDatasets }").status_code for _ in range(12)] == [200] * 12
    answers = [ask(limited, "{ list_datasets }") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    limited.clock.advance(timedelta(seconds=60))
    assert ask(limited, "{ listDatasets }").status_code == 200


def test_it_goes_on_where_it_stopped_in_the_same_folder(practice: Start, tmp_path: Path) -> None:
    options = PracticeOptions(tmp_path / "kept", scale="tiny")
    with PracticeServer(options) as first:
        first.world.advance(timedelta(days=2))
        number, now = first.world.calendar.current(first.clock.now()).number, first.clock.now()
    with PracticeServer(options) as second:
        assert second.world.calendar.current(second.clock.now()).number == number
        assert second.clock.now() >= now


def test_a_port_in_use_and_a_folder_in_use_are_told(practice: Start, tmp_path: Path) -> None:
    server = practice(folder=tmp_path / "one")
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(ConfigError, match=f"--port {port}: 127.0.0.1:{port} is in use already"):
        PracticeServer(PracticeOptions(tmp_path / "two", port=port, scale="tiny")).start()
    with pytest.raises(ConfigError, match=r"another practice tournament \(process \d+\) uses this folder"):
        PracticeServer(PracticeOptions(tmp_path / "one", scale="tiny")).start()


def test_a_failed_start_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make the period longer"):
        PracticeServer(PracticeOptions(tmp_path, scale="tiny", period_minutes=5)).start()
    with pytest.raises(ConfigError, match='--scale huge: allowed are "small" and "full"'):
        PracticeServer(PracticeOptions(tmp_path, scale="huge")).start()
    with PracticeServer(PracticeOptions(tmp_path, scale="tiny")) as server:
        assert requests.get(server.url, timeout=LIMIT_S).status_code == 200


def test_the_files_can_be_made_before_the_first_request(tmp_path: Path) -> None:
    said: list[str] = []
    with PracticeServer(PracticeOptions(tmp_path, scale="tiny", makes_files_first=True), say=said.append):
        assert {path.name for path in (tmp_path / "market").rglob("*.parquet")} >= {"train.parquet", "live.parquet"}


def test_stopping_is_quick_and_frees_the_port(practice: Start) -> None:
    server = PracticeServer(practice().options)
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.url
    clock = SystemClock()
    running = practice()
    port = int(running.url.rpartition(":")[2])
    with requests.Session() as session:
        session.get(running.url, timeout=LIMIT_S)
        began = clock.monotonic()
        running.stop()
        assert clock.monotonic() - began < 1
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
