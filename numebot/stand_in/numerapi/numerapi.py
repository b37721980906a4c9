"""An older way to import the same class."""

from numerapi import NumerAPI

__all__ = ["NumerAPI"]
