"""Programs as models, each in a real child process."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from models.command import Command
from numebot.adapters.runner.landlock import abi
from numebot.adapters.runner.runner import Runner
from numebot.core.errors import PluginError
from numebot.core.types import ModelConfig
from numebot.plugin import check_model
from tests.fakes import RoundInMemory

ROOT = Path(__file__).parents[2]
needs_landlock = pytest.mark.skipif(abi() == 0, reason="needs a kernel with Landlock (Linux 5.13, lsm=landlock)")

AVERAGE = """
import os
import pandas as pd
live = pd.read_parquet(os.environ["NUMEBOT_LIVE"])
answer = live.mean(axis=1).rename("prediction").iloc[::-1]
answer.to_frame().to_parquet(os.environ["NUMEBOT_OUTPUT"])
"""

COUNT = """#!/bin/sh
test "$NUMEBOT_ROUND $NUMEBOT_DATA_VERSION $NUMEBOT_TOURNAMENT" = "1404 v5.3 8" || exit 9
test -r "$NUMEBOT_FILES/live_benchmark_models.parquet" || exit 8
echo id,prediction > "$2"
tail -n +2 "$1" | cut -d, -f1 | awk '{ print $0 "," NR }' >> "$2"
"""


@pytest.fixture
def live(tmp_path: Path) -> RoundInMemory:
    return RoundInMemory(tmp_path / "round")


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    (tmp_path / "home").mkdir()
    runner = Runner([ROOT], place=tmp_path / "place")
    yield runner
    runner.close()


def row(tmp_path: Path, **parameters: Any) -> ModelConfig:
    return ModelConfig("rpica", "models.command", parameters=parameters, readable=(tmp_path / "scripts",))


def script(tmp_path: Path, name: str, text: str) -> str:
    path = tmp_path / "scripts" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_another_python_reads_parquet_and_writes_parquet(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    command = [sys.executable, script(tmp_path, "average.py", AVERAGE)]
    found = runner.predict(row(tmp_path, command=command, feature_set="all"), None, live)
    assert found.tolist() == live.rows.mean(axis=1).tolist()


def test_a_shell_script_gets_paths_round_version_and_files(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    command = f"{script(tmp_path, 'count.sh', COUNT)} {{live}} {{output}}"
    config = row(tmp_path, command=command, format="csv", files=["live_benchmark_models.parquet"])
    assert runner.predict(config, None, live).tolist() == list(range(1, len(live.rows) + 1))


BY_HAND = {
    "sh": """
        echo id,prediction > "$NUMEBOT_OUTPUT"
        tail -n +2 "$NUMEBOT_LIVE" | cut -d, -f1,2 >> "$NUMEBOT_OUTPUT"
    """,
    "awk": """
        BEGIN {
            FS = ","
            while ((getline < ENVIRON["NUMEBOT_LIVE"]) > 0)
                print (++line == 1 ? "id,prediction" : $1 "," $2) > ENVIRON["NUMEBOT_OUTPUT"]
        }
    """,
    "python3": """if True:
        import csv, os
        with open(os.environ["NUMEBOT_LIVE"]) as live, open(os.environ["NUMEBOT_OUTPUT"], "w") as output:
            rows = csv.reader(live)
            next(rows)
            csv.writer(output).writerows([("id", "prediction"), *(row[:2] for row in rows)])
    """,
}
"""The first feature as the prediction, in several languages without any library."""


@pytest.mark.parametrize("language", BY_HAND)
def test_any_language_is_called_in_the_same_way(
    tmp_path: Path, runner: Runner, live: RoundInMemory, language: str
) -> None:
    interpreter = shutil.which(language, path="/usr/local/bin:/usr/bin:/bin") or sys.executable
    arguments = [interpreter, *(["-f"] if language == "awk" else []), script(tmp_path, "model", BY_HAND[language])]
    found = runner.predict(row(tmp_path, command=arguments, format="csv"), None, live)
    assert found.tolist() == live.rows.iloc[:, 0].tolist()


def test_a_shell_only_where_it_is_asked_for(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    line = "cut -d, -f1,2 $NUMEBOT_LIVE | sed 1s/.*/id,prediction/ > $NUMEBOT_OUTPUT"
    found = runner.predict(row(tmp_path, command=line, shell=True, format="csv"), None, live)
    assert found.tolist() == live.rows.iloc[:, 0].tolist()
    with pytest.raises(PluginError, match=r"cut ended with exit code 1\. Last words: cut: "):
        runner.predict(row(tmp_path, command=line, format="csv"), None, live)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo the weather is bad >&2; exit 3", "bad.sh ended with exit code 3. Last words: the weather is bad"),
        ("kill -SEGV $$", "bad.sh was ended by SIGSEGV and said nothing."),
        ("true", "bad.sh left no file of predictions. It has to write one to output.parquet"),
        ("echo id,prediction > $NUMEBOT_OUTPUT; echo nobody,1 >> $NUMEBOT_OUTPUT", "40 ids missing"),
        ("echo id,one,two > $NUMEBOT_OUTPUT", "has no column prediction; found one, two."),
        ("echo who,prediction > $NUMEBOT_OUTPUT", "has no column id; found who, prediction."),
        ("head -c 100000 /dev/urandom > $NUMEBOT_OUTPUT", "bad.sh: output.parquet is neither parquet nor CSV"),
        ("echo wrote > /tmp/numebot-test-command || exit 5", "exit code 5. Last words: "),
    ],
)
@needs_landlock
def test_failures_are_told_in_words(tmp_path: Path, runner: Runner, live: RoundInMemory, text: str, words: str) -> None:
    command = [script(tmp_path, "bad.sh", f"#!/bin/sh\n{text}\n")]
    with pytest.raises(PluginError) as caught:
        runner.predict(row(tmp_path, command=command), None, live)
    assert words in str(caught.value)


@needs_landlock
def test_what_no_row_allows_is_not_run(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    program = script(tmp_path, "tool", "#!/bin/sh\nexit 0\n")
    config = ModelConfig("rpica", "models.command", parameters={"command": [program]})
    with pytest.raises(PluginError, match=r"tool cannot be run \(Permission denied\).*readable"):
        runner.predict(config, None, live)


def test_what_is_not_there_is_said_so(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    with pytest.raises(PluginError, match=r"no-such-program cannot be run \(No such file or directory\)"):
        runner.predict(row(tmp_path, command=["no-such-program"]), None, live)
    with pytest.raises(PluginError, match="command is empty"):
        runner.predict(row(tmp_path), None, live)
    with pytest.raises(PluginError, match='format is "feather"'):
        runner.predict(row(tmp_path, command=["true"], format="feather"), None, live)


def test_what_it_starts_and_leaves_does_not_hold_it_up(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    text = "#!/bin/sh\nsleep 600 &\ncut -d, -f1,2 $NUMEBOT_LIVE | sed 1s/.*/id,prediction/ > $NUMEBOT_OUTPUT\n"
    found = runner.predict(row(tmp_path, command=[script(tmp_path, "s.sh", text)], format="csv"), None, live)
    assert len(found) == len(live.rows)


def test_the_time_limit_of_the_row_holds(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    config = ModelConfig(
        "rpica", "models.command", parameters={"command": "echo waiting; sleep 600", "shell": True},
        time_limit_minutes=0.05,
    )  # fmt: skip
    with pytest.raises(PluginError, match=r"limit time_limit_minutes 0.05\. Last words: .*waiting"):
        runner.predict(config, None, live)


def test_what_it_prints_goes_to_the_log(tmp_path: Path, runner: Runner, live: RoundInMemory) -> None:
    config = row(tmp_path, command="echo hello there; exit 1", shell=True)
    with pytest.raises(PluginError):
        runner.predict(config, None, live)
    assert "hello there" in runner.log_of(config).read_text()


def test_it_keeps_the_contract(tmp_path: Path) -> None:
    assert check_model(Command(command=[sys.executable, script(tmp_path, "average.py", AVERAGE)])) == []


def test_a_constant_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    program = "import os; open(os.environ['NUMEBOT_OUTPUT'], 'w').write('id,prediction\\n0012,1\\n')"
    command = Command(command=[sys.executable, "-c", program])
    live = pd.DataFrame({"feature": [1]}, index=pd.Index(["0012"], name="id"))
    assert command.predict(live).to_dict() == {"0012": 1}
