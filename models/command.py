"""Any program as a model: R, Julia, a shell script, another Python. It reads a file and writes a file.

    numerai_name,model_code,parameters,readable
    my_r_model,models.command,"{""command"": [""Rscript"", ""/home/me/r/predict.R""]}",/home/me/r

The program gets its orders through variables, and {live} and {output} in its arguments stand for the first two:

* NUMEBOT_LIVE: the rows to predict, a column id and the features of `feature_set`; parquet, or CSV if `format` says so
* NUMEBOT_OUTPUT: where its predictions belong: columns id and prediction, parquet or CSV
* NUMEBOT_ROUND, NUMEBOT_DATA_VERSION, NUMEBOT_TOURNAMENT: e.g. 1404, v5.3, 8
* NUMEBOT_FILES: a folder with the files of the data version that `files` names, e.g. live_benchmark_models.parquet

It runs in an empty folder, which is its HOME as well and is gone afterwards, and ends with exit code 0; anything else
is a failure with its last words. What it prints goes to the model's log. The row's limits of time and memory hold for
all that it starts. Programs and libraries below /usr, /bin, /lib, /opt/cuda and numebot's own Python are allowed;
everything else that it runs or reads stands in the column `readable` (paths, separated by a colon). It may open
connections if the row says `network`; the Docker client needs that for its socket, and what a container takes is
Docker's to limit.

Parameters of such rows (the column readable holds the script, and Julia's folders /opt/julia and ~/.julia):

    R       {"command": ["Rscript", "--vanilla", "/home/me/model.R"], "format": "csv"}
    Julia   {"command": ["/opt/julia/bin/julia", "/home/me/model.jl"], "format": "csv",
             "variables": {"JULIA_DEPOT_PATH": "/home/me/.julia"}}
    Docker  {"command": ["/bin/sh", "/home/me/model.sh"]}            with network True in the row

    # model.R
    live <- read.csv(Sys.getenv("NUMEBOT_LIVE"))
    answer <- data.frame(id = live$id, prediction = rowMeans(live[, -1], na.rm = TRUE))
    write.csv(answer, Sys.getenv("NUMEBOT_OUTPUT"), row.names = FALSE)

    # model.jl
    using CSV, DataFrames, Statistics
    live = CSV.read(ENV["NUMEBOT_LIVE"], DataFrame)
    answer = DataFrame(id = live.id, prediction = [mean(row) for row in eachrow(Matrix(live[:, 2:end]))])
    CSV.write(ENV["NUMEBOT_OUTPUT"], answer)

    # model.sh
    exec docker run --rm --network none --memory 4g -v "$(dirname "$NUMEBOT_LIVE")":/data me/model \\
        /data/live.parquet /data/output.parquet

Tested are programs of sh, awk and python3. R, Julia and Docker are called in the same way and were not tried.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from numebot.plugin import Model, PluginError
from numebot.programs import read_answer, round_variables, run_program, write_rows

FORMATS = ("parquet", "csv")


class Command(Model):
    """Runs a program for each prediction."""

    def __init__(
        self,
        *,
        command: str | Sequence[str] = (),
        format: str = "parquet",
        shell: bool = False,
        feature_set: str | Sequence[str] = "small",
        scale: str | None = "rank",
        files: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        if format not in FORMATS:
            raise PluginError(f'format is "{format}". Allowed: {" or ".join(FORMATS)}.')
        self.arguments = _arguments(command, shell=shell)
        self.format = format
        self.feature_set = feature_set
        self.scale = scale
        self.files = tuple(files)
        self.variables = {name: str(value) for name, value in (variables or {}).items()}

    def predict(self, live: pd.DataFrame) -> pd.Series:
        """Write the rows, run the program, read what it wrote."""
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
            place = Path(name)
            rows, output, work = place / f"live.{self.format}", place / f"output.{self.format}", place / "work"
            work.mkdir()
            write_rows(live, rows)
            variables = {"NUMEBOT_LIVE": str(rows), "NUMEBOT_OUTPUT": str(output), "HOME": str(work)}
            if self.files:
                variables["NUMEBOT_FILES"] = str(_folder_of(live.attrs.get("files", {}), place / "files"))
            arguments = [
                part.replace("{live}", str(rows)).replace("{output}", str(output)) for part in self.arguments
            ]
            run_program(arguments, folder=work, variables={**self.variables, **variables, **round_variables(live)})
            return read_answer(output, Path(self.arguments[0]).name)


def _arguments(command: str | Sequence[str], *, shell: bool) -> list[str]:
    if shell:
        text = command if isinstance(command, str) else shlex.join(command)
        return ["/bin/sh", "-c", text]
    arguments = shlex.split(command) if isinstance(command, str) else [str(part) for part in command]
    if not arguments:
        raise PluginError('command is empty. Give the program and its arguments: {"command": ["Rscript", "/x/y.R"]}.')
    return arguments


def _folder_of(files: Mapping[str, str], folder: Path) -> Path:
    """Make a folder in which the files of the round have their own names."""
    folder.mkdir()
    for name, path in files.items():
        (folder / name).symlink_to(path)
    return folder
