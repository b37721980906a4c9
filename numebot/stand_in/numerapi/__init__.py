"""Stands where numerapi is while a node of numerai-cli runs: serves numebot's files, and keeps what would be uploaded.

It is imported by the node's own Python, whatever version that is, so it needs nothing but the standard library.
"""

import os
import re
import shutil
import sys
from pathlib import Path

HINT = "numebot uploads predictions itself, and reads back that they were accepted."


class Refused(RuntimeError):
    """What a node asked for is numebot's to do."""


class NumerAPI:
    """The questions that a node needs answered; every other one is refused with a hint."""

    def __init__(self, *arguments, **named):
        """Take what numerapi takes; keys are not needed."""

    def download_dataset(self, filename, dest_path=None, *arguments, **named):
        """Copy one of the round's files to where it was asked for."""
        version, _, name = str(filename).rpartition("/")
        source = Path(os.environ["NUMEBOT_FILES"], name)
        if not source.exists():
            raise Refused(f"{filename} is not among the files of its row: put {name} into its parameter files.")
        ours = os.environ.get("NUMEBOT_DATA_VERSION", version)
        if version and version != ours:
            _say(f"{filename} was asked for, and this is the file of {ours}, the data version in use.")
        destination = Path(dest_path or name)
        destination.parent.mkdir(parents=True, exist_ok=True)
        if not destination.exists() or not destination.samefile(source):
            shutil.copyfile(source, destination)
        return str(destination)

    def list_datasets(self, *arguments, **named):
        """Return what there is to download."""
        version = os.environ.get("NUMEBOT_DATA_VERSION", "v5.0")
        return [f"{version}/{name}" for name in sorted(os.listdir(os.environ["NUMEBOT_FILES"]))]

    def get_current_round(self, *arguments, **named):
        """Return the number of the round."""
        return int(os.environ.get("NUMEBOT_ROUND", "0"))

    def get_models(self, *arguments, **named):
        """Return the one model that this is for, name to id."""
        return {os.environ.get("NUMEBOT_MODEL", "model"): os.environ.get("MODEL_ID", "")}

    def check_round_open(self, *arguments, **named):
        """Say that the round is open; numebot would not ask for predictions else."""
        return True

    def upload_predictions(self, file_path="predictions.csv", model_id=None, df=None, *arguments, **named):
        """Keep the predictions for numebot and send nothing."""
        folder = Path(os.environ["NUMEBOT_UPLOADS"])
        number = len(os.listdir(folder))
        path = folder / f"{number}-{re.sub(r'[^A-Za-z0-9_-]', '', str(model_id or ''))}.csv"
        if df is not None:
            df.to_csv(path, index=not {"id", "numerai_ticker", "ticker", "symbol"} & set(map(str, df.columns)))
        else:
            shutil.copyfile(file_path, path)
        _say(f"upload_predictions: not sent, but taken over. {HINT}")
        return f"kept-by-numebot-{number}"

    def __getattr__(self, name):
        """Refuse what is not for a node."""
        if name.startswith("__"):
            raise AttributeError(name)
        raise Refused(f"numerapi's {name} is not there while numebot runs this node. {HINT}")


class SignalsAPI(NumerAPI):
    """The same for Signals."""


class CryptoAPI(NumerAPI):
    """The same for Crypto."""


def _say(words):
    sys.stderr.write(f"numebot: {words}\n")
    sys.stderr.flush()
