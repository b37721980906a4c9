"""Builds everything once. The only place that constructs."""

from numebot.app.app import App
from numebot.app.opening import open_app

__all__ = ["App", "open_app"]
