from __future__ import annotations

import shutil

import pytest

from tests.machine_tools import needs


def test_a_program_that_is_there_is_found() -> None:
    assert needs("sh", "dash") == shutil.which("sh")


def test_a_missing_program_skips_with_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="sudo apt-get install some-package"):
        needs("no-such-program", "some-package")


def test_in_continuous_integration_a_missing_program_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="sudo apt-get install some-package"):
        needs("no-such-program", "some-package")
