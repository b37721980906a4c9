"""What the practice server refuses, in words as Numerai's own server might use them."""

from __future__ import annotations

STAKES_DISABLED = "Stake changes are disabled for this tournament."


class Refusal(Exception):
    """A request the server understood and declined; its text becomes the GraphQL error."""


def not_authenticated() -> Refusal:
    """Return the answer to a missing, wrong or revoked key."""
    return Refusal("Your session is invalid or has expired.")


def missing_scope(scope: str) -> Refusal:
    """Return the answer to a key that may not do this."""
    return Refusal(f"API key is not authorized for this action: it lacks the scope {scope}")


def model_not_found() -> Refusal:
    """Return the answer to a model id that is not in the account."""
    return Refusal("Model not found")
