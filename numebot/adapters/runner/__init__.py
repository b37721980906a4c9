"""Runs plugins in processes of their own; whatever they do there becomes a PluginError here."""

from numebot.adapters.runner.description import Plugin
from numebot.adapters.runner.fitted import FittedPlugin
from numebot.adapters.runner.requests import Limits
from numebot.adapters.runner.runner import DefaultLimits, LivePort, Measured, PredictionRequest, Runner, plugin_key
from numebot.adapters.runner.sandbox import isolation_notes

__all__ = [
    "DefaultLimits",
    "FittedPlugin",
    "Limits",
    "LivePort",
    "Measured",
    "Plugin",
    "PredictionRequest",
    "Runner",
    "isolation_notes",
    "plugin_key",
]
