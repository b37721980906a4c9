"""From a folder of the original numebot to this one: settings, keys, models, history. The old folder is only read."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from numebot.adapters.registry import Registry, read_registry
from numebot.adapters.settings import ApiKey, load_api_key
from numebot.adapters.settings.dotenv_file import read_dotenv_file
from numebot.core.errors import ConfigError
from numebot.core.types import Event, ModelConfig
from numebot.durable import write_whole
from numebot.importing.old_code import judged, python_files
from numebot.importing.old_history import lines_of, scores_of, submissions_of
from numebot.importing.rows import Place, add_new_rows, row_of

if TYPE_CHECKING:
    from numebot.adapters.store import Store

CODE = "models.original_numebot"
FOLDER = "original_code"


@dataclass
class Report:
    """What an import found, in sentences: taken over, to be trained again, left for a person."""

    imported: list[str] = field(default_factory=list)
    retrain: list[str] = field(default_factory=list)
    not_understood: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Old:
    """Where things lie in an old folder."""

    folder: Path
    data_folder: Path | None
    model_configs: Path | None
    key: ApiKey | None
    warnings: Sequence[str] = ()


def look_at(folder: Path, data_folder: Path | None = None) -> Old:
    """Read .env and .secret. Paths that no longer exist are looked for below `folder` by their last name.

    Raises: ConfigError.
    """
    values: dict[str, str] = {}
    for name in (".env", ".secret"):
        file = read_dotenv_file(folder / name, name)
        values |= {entry.name: entry.value for entry in (file.entries if file else ()) if entry.value}
    found = load_api_key(folder, {})
    table = _existing(folder, values.get("MODEL_CONFIGS_PATH"), "model_configs.csv")
    data = data_folder or _existing(folder, values.get("NUMERAI_DATA_FOLDER"), "numerai_data")
    if table is None and data is None and found.key is None:
        raise ConfigError(
            f"{folder}: no model_configs.csv, no data folder and no key. Is it the original numebot's folder?"
        )
    return Old(folder, data, table, found.key, found.warnings)


def import_original(
    old: Old, *, place: Place, registry: Registry, store: Store, has_key: bool, dry_run: bool
) -> Report:
    """Take over what can be taken over; doing it again changes nothing. With `dry_run` only the report is made.

    Raises: ConfigError, LocalTrouble.
    """
    report = Report()
    _import_key(old, place, report, has_key=has_key, dry_run=dry_run)
    rows = _rows(old, place, registry, report)
    _import_history(old, store, report, dry_run=dry_run)
    if rows and not dry_run:
        _copy_code(old.folder, place.data_folder / FOLDER)
        add_new_rows(rows, registry, place)
    return report


def _existing(folder: Path, named: str | None, usual: str) -> Path | None:
    candidates = [Path(named).expanduser(), folder / named, folder / Path(named).name] if named else []
    return next((path for path in (*candidates, folder / usual) if path.exists()), None)


def _import_key(old: Old, place: Place, report: Report, *, has_key: bool, dry_run: bool) -> None:
    report.not_understood.extend(old.warnings)
    if old.key is None:
        report.not_understood.append("no API key was found in .env or .secret")
        return
    if has_key:
        report.imported.append("API key: this numebot has one already, which stays")
        return
    target = place.home / ".secret"
    if target.exists():
        report.not_understood.append(f"API key: {target} is there without a key; put it in by hand")
        return
    if not dry_run:
        write_whole(target, f"PUBLIC_ID={old.key.public_id}\nSECRET_KEY={old.key.secret_key}\n")
    report.imported.append(f"API key into {target}")


def _rows(old: Old, place: Place, registry: Registry, report: Report) -> list[dict[str, str]]:
    if old.model_configs is None:
        report.not_understood.append("no model_configs.csv was found; no models were taken over")
        return []
    table = read_registry(old.model_configs, home=old.folder)
    report.not_understood.extend(table.problems)
    own = tuple(path.name for path in old.folder.iterdir() if path.is_dir())
    known = {model.name: model for model in registry.models}
    rows = []
    for model in table.models:
        row = _row(model, old, place, own, report)
        there = known.get(model.name)
        if row is None:
            continue
        if there is not None and there.code != CODE:
            report.not_understood.append(f"{model.name}: stands in {place.model_configs.name} already; that row stays")
        elif there is None:
            rows.append(row)
    return rows


def _row(model: ModelConfig, old: Old, place: Place, own: tuple[str, ...], report: Report) -> dict[str, str] | None:
    """Return the row of an old model, or say why there is none."""
    file = old.folder.joinpath(*model.code.partition(":")[0].split(".")).with_suffix(".py")
    if not model.code:
        report.not_understood.append(f"{model.name}: has no model_code")
        return None
    if model.problem is not None:
        report.not_understood.append(model.problem)
        return None
    if model.is_ensemble:
        words = "an ensemble that reads the files of others; write it anew on numebot's plugin contract"
        report.not_understood.append(f"{model.name}: {words}")
        return None
    try:
        plugin = judged(file, own)
    except (OSError, SyntaxError, ValueError) as error:
        report.not_understood.append(f"{model.name}: {model.code} cannot be read ({error})")
        return None
    if plugin.missing:
        report.not_understood.append(f"{model.name}: needs {', '.join(plugin.missing)}, not installed here")
    if plugin.reads_other_models:
        report.not_understood.append(f"{model.name}: reads the files of {', '.join(plugin.reads_other_models)}")
    when = "; it trains in every round, so give it time_limit_minutes" if plugin.trains_in_predict else ""
    report.retrain.append(
        f"{model.name}: {model.code}, generation {plugin.generation}: numebot train {model.name}{when}"
    )
    copy = place.data_folder / FOLDER
    parameters: Mapping[str, object] = {
        "plugin": model.code,
        "name": model.name,
        "folder": str(copy),
        **({"parameters": dict(model.parameters)} if model.parameters else {}),
    }
    return row_of(model.name, CODE, parameters, description=model.description, readable=str(copy))


def _import_history(old: Old, store: Store, report: Report, *, dry_run: bool) -> None:
    if old.data_folder is None:
        report.not_understood.append("no data folder was found; give it with --data-folder")
        return
    models = old.data_folder / "models"
    try:
        scores = scores_of(models / "round_details.csv")
        events: list[Event] = [*lines_of(models), *submissions_of(old.data_folder)]
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        report.not_understood.append(f"history: {getattr(error, 'filename', None) or models}: {error}")
        return
    new = (
        (0, 0) if dry_run else (store.results.remember_scores(scores), store.remember_history(events) if events else 0)
    )
    kinds = {
        kind: sum(event.kind.endswith(kind) for event in events) for kind in ("status", "leaderboard", "submission")
    }
    told = ", ".join(f"{count:,} {kind} lines" for kind, count in kinds.items())
    report.imported.append(f"history: {len(scores):,} scores ({new[0]:,} new), {told} ({new[1]:,} new)")


def _copy_code(source: Path, destination: Path) -> None:
    """Copy the Python files that are new or have changed."""
    for path in python_files(source):
        copy = destination / path.relative_to(source)
        content = path.read_bytes()
        if not copy.exists() or copy.read_bytes() != content:
            copy.parent.mkdir(parents=True, exist_ok=True)
            write_whole(copy, content)
