"""Model uploads: pickles are taken, assigned and triggered on paper; nothing here ever loads or runs one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from numebot.practice.world.account import Account
from numebot.practice.world.refusals import Refusal
from numebot.practice.world.state import ModelSlot, PickleEntry, Purpose, State, TriggerEntry
from numebot.practice.world.uploads import Uploads, unique_name


@dataclass(frozen=True)
class DockerImage:
    """A Python image that Numerai would run a pickle in."""

    id: str
    name: str
    image: str
    tag: str
    is_default: bool


class Pickles:
    """Uploaded models, their assignments and triggers."""

    def __init__(self, state: State, account: Account, uploads: Uploads) -> None:
        self._state = state
        self._account = account
        self._uploads = uploads

    def docker_images(self) -> list[DockerImage]:
        """Return the images on offer, the default last."""
        return [
            DockerImage(
                id=self._account.stable_id("docker", version),
                name=f"Python {version}",
                image="numerai_predict_py_" + version.replace(".", "_"),
                tag="practice",
                is_default=version == "3.12",
            )
            for version in ("3.10", "3.11", "3.13", "3.12")
        ]

    def create(
        self, model: ModelSlot | None, filename: str, now: datetime, *, data_version: str | None, image: str | None
    ) -> PickleEntry:
        """Turn uploaded bytes into a model upload. Raises: Refusal for a file that is not there or not a .pkl."""
        upload = self._state.uploads.get(filename)
        if upload is None or upload.purpose is not Purpose.PICKLE:
            raise Refusal(f"No upload authorization found for {filename}")
        if not filename.endswith(".pkl"):
            raise Refusal(f"{filename} is not a .pkl file")
        owner = self._account.model(upload.model_id)
        self._uploads.take(filename, Purpose.PICKLE, owner)
        entry = PickleEntry(
            id=str(uuid.uuid4()),
            filename=filename,
            model_id=model.id if model else None,
            tournament=owner.tournament,
            inserted_at=now,
            data_version_id=data_version,
            docker_image_id=image,
        )
        self._state.pickles[entry.id] = entry
        return entry

    def invent(self, model: ModelSlot, now: datetime) -> PickleEntry:
        """Make a model upload without a file, for slots that are to look automated."""
        entry = PickleEntry(str(uuid.uuid4()), unique_name("model.pkl"), model.id, model.tournament, now)
        self._state.pickles[entry.id] = entry
        return entry

    def find(self, pickle_id: str) -> PickleEntry:
        """Return a model upload. Raises: Refusal."""
        if pickle_id not in self._state.pickles:
            raise Refusal("Model upload not found")
        return self._state.pickles[pickle_id]

    def listed(self) -> list[PickleEntry]:
        """Return every model upload, newest first."""
        return list(reversed(self._state.pickles.values()))

    def slots_of(self, pickle_id: str) -> list[ModelSlot]:
        """Return the models a model upload is assigned to."""
        return [model for model in self._account.models() if model.pickle_id == pickle_id]

    def assign(self, model: ModelSlot, pickle_id: str | None) -> None:
        """Assign a model upload to a slot, or free the slot with None. Raises: Refusal."""
        if pickle_id is not None:
            self.find(pickle_id)
        self._account.change_model(model, pickle_id=pickle_id)

    def trigger(self, model: ModelSlot, now: datetime, *, pickle_id: str | None = None) -> TriggerEntry:
        """Note that a run or a webhook call was asked for. Nothing is run, and nothing leaves the machine."""
        entry = TriggerEntry(str(uuid.uuid4()), model.id, pickle_id, now)
        self._state.triggers[entry.id] = entry
        return entry

    def trigger_of(self, trigger_id: str) -> TriggerEntry | None:
        """Return a trigger by id."""
        return self._state.triggers.get(trigger_id)

    def triggers_of(self, pickle_id: str) -> list[TriggerEntry]:
        """Return the triggers of a model upload, newest first."""
        return [entry for entry in reversed(self._state.triggers.values()) if entry.pickle_id == pickle_id]
