from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from numebot.adapters.environment import wipe_variable

SCRIPT = """
import os, sys
from pathlib import Path
from numebot.adapters.environment import wipe_variable
wipe_variable("CANARY")
wipe_variable("CANARY")
sys.stdout.buffer.write(Path(f"/proc/{os.getpid()}/environ").read_bytes())
assert "CANARY" not in os.environ and os.environ["OTHER"] == "stays"
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here; run this on Linux")
def test_a_wiped_variable_is_gone_from_what_the_system_shows() -> None:
    environ = {**os.environ, "CANARY": "sécret-42", "OTHER": "stays"}
    shown = subprocess.run([sys.executable, "-c", SCRIPT], env=environ, capture_output=True, check=True, timeout=60)
    assert b"cret-42" not in shown.stdout
    assert b"OTHER=stays" in shown.stdout


def test_a_variable_that_is_not_there_needs_no_wiping() -> None:
    wipe_variable("NUMEBOT_TEST_NOT_SET")
