"""The two spellings of the API's names: Numerai's server takes snake_case wherever its schema says camelCase."""

from __future__ import annotations

import re


def camel_case(name: str) -> str:
    """Return a snake_case name as the schema writes it: return_13_weeks → return13Weeks."""
    return re.sub(r"(?<=[A-Za-z0-9])_+([A-Za-z0-9])", lambda match: match[1].upper(), name)
