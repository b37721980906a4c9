"""numebot plays the Numerai tournament for its owner, unattended."""

__version__ = "0.1.0"
