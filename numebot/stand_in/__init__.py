"""Libraries that stand in for others inside programs of the owner; FOLDER goes to the front of their path."""

from pathlib import Path

FOLDER = Path(__file__).parent
