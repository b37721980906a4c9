"""Runs plugins: finds their code, builds, trains and asks them; what they raise becomes PluginError."""

from numebot.adapters.runner.runner import LivePort, LoadedPlugin, Plugin, Runner

__all__ = ["LivePort", "LoadedPlugin", "Plugin", "Runner"]
