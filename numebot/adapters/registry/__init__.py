"""model_configs.csv, the switchboard: one row per Numerai model. Read without importing any plugin."""

from numebot.adapters.registry.read import Registry, read_registry

__all__ = ["Registry", "read_registry"]
