"""Who may import whom: the directions of the house, read from the sources."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(path for folder in ("numebot", "models") for path in (ROOT / folder).rglob("*.py"))
STORIES = (
    "numebot.pipeline", "numebot.steps", "numebot.training", "numebot.sweeping", "numebot.evaluation",
    "numebot.diagnosing", "numebot.results", "numebot.kit", "numebot.doctor",
)  # fmt: skip
LIBRARY_DOORS = {
    "numerapi": ("numebot.adapters.numerai", "numebot.stand_in"),
    "requests": ("numebot.adapters.numerai",),
    "sqlalchemy": ("numebot.adapters.store", "numebot.adapters.sweeps"),  # the latter for Optuna's errors alone
    "alembic": ("numebot.adapters.store",),
    "apscheduler": ("numebot.daemon",),
    "starlette": ("numebot.web", "numebot.practice"),
    "uvicorn": ("numebot.web", "numebot.practice"),
    "ariadne": ("numebot.practice",),
    "optuna": ("numebot.adapters.sweeps",),
    "click": ("numebot.cli",),
    "rich": ("numebot.cli",),
}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide directions"
            found.add(str(node.module))
    return found


def inside(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


IMPORTS = {module_name(path): imports(path) for path in FILES if "migrations" not in path.parts}


def ours(name: str) -> set[str]:
    return {found for found in IMPORTS[name] if inside(found, "numebot", "models")}


def adapter_of(name: str) -> str:
    return ".".join(name.split(".")[:3])


@pytest.mark.parametrize("name", [name for name in IMPORTS if inside(name, "numebot.core")])
def test_core_imports_only_itself(name: str) -> None:
    assert all(inside(found, "numebot.core") for found in ours(name))
    outside = {found.split(".")[0] for found in IMPORTS[name]} - set(sys.stdlib_module_names) - {"numebot"}
    assert outside <= {"numpy", "pandas", "scipy"}


@pytest.mark.parametrize("name", [name for name in IMPORTS if inside(name, "numebot.adapters")])
def test_an_adapter_imports_core_and_never_another_adapter_or_a_story(name: str) -> None:
    ours_for_all = ("numebot.core", "numebot.durable", "numebot.redaction", "numebot.plugin", "numebot.workshop")
    allowed = (*ours_for_all, adapter_of(name))
    assert [found for found in ours(name) if not inside(found, *allowed)] == []


@pytest.mark.parametrize("name", [name for name in IMPORTS if inside(name, "models")])
def test_plugins_import_the_contract_and_what_is_made_for_them(name: str) -> None:
    allowed = (
        "numebot.plugin", "numebot.workshop", "numebot.programs", "numebot.pickle_origin", "numebot.original",
        "numebot.stand_in",
    )  # fmt: skip
    assert [found for found in ours(name) if not inside(found, *allowed)] == []


@pytest.mark.parametrize("name", [name for name in IMPORTS if inside(name, "numebot.workshop")])
def test_the_workshop_knows_core_and_the_contract_alone(name: str) -> None:
    allowed = ("numebot.core", "numebot.plugin", "numebot.workshop")
    assert [found for found in ours(name) if not inside(found, *allowed)] == []


@pytest.mark.parametrize("name", [name for name in IMPORTS if inside(name, "numebot.workshop")])
def test_the_workshop_imports_core_and_libraries_alone(name: str) -> None:
    assert all(inside(found, "numebot.core", "numebot.plugin", "numebot.workshop") for found in ours(name))


@pytest.mark.parametrize("name", [name for name in IMPORTS if inside(name, "numebot.practice")])
def test_the_practice_tournament_knows_no_story_and_no_client(name: str) -> None:
    allowed = ("numebot.core", "numebot.durable", "numebot.practice", "numebot.adapters.clock")
    assert [found for found in ours(name) if not inside(found, *allowed)] == []


@pytest.mark.parametrize("name", [name for name in IMPORTS if inside(name, *STORIES)])
def test_stories_call_core_and_adapters_but_no_entrance(name: str) -> None:
    assert not any(inside(found, "numebot.cli", "numebot.app", "numebot.daemon", "numebot.web") for found in ours(name))


@pytest.mark.parametrize("name", list(IMPORTS))
def test_each_outside_library_has_one_door(name: str) -> None:
    wrong = [
        found
        for found in IMPORTS[name]
        if (doors := LIBRARY_DOORS.get(found.split(".")[0])) is not None and not inside(name, *doors)
    ]
    assert wrong == []


@pytest.mark.parametrize("name", [name for name in IMPORTS if not inside(name, "numebot.app", "numebot.cli")])
def test_only_the_app_is_known_to_entrances(name: str) -> None:
    if name in ("numebot.daemon", "numebot.__main__"):
        return
    assert not any(inside(found, "numebot.app", "numebot.cli") for found in ours(name))


def test_the_help_loads_no_heavy_library() -> None:
    script = (
        "import sys\n"
        "sys.argv = ['numebot', '--help']\n"
        "from numebot.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'pandas', 'numpy', 'numerapi', 'requests', 'lightgbm', 'xgboost', 'pyarrow', 'sklearn', 'scipy',"
        " 'sqlalchemy', 'optuna', 'pydantic', 'starlette', 'ariadne', 'rich'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "LOADED []" in answer.stdout
    assert "Play the open round by hand" in answer.stdout
