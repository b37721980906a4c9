"""Settings and the API key: config/numebot.toml < .env < environment < command line, read once and never written."""

from numebot.adapters.settings.addresses import passwords_in
from numebot.adapters.settings.display import ShownSetting, shown_settings
from numebot.adapters.settings.home import find_home
from numebot.adapters.settings.load import LoadedSettings, load_settings
from numebot.adapters.settings.model import Settings
from numebot.adapters.settings.secrets import ApiKey, LoadedKey, load_api_key, missing_key_message

__all__ = [
    "ApiKey",
    "LoadedKey",
    "LoadedSettings",
    "Settings",
    "ShownSetting",
    "find_home",
    "load_api_key",
    "load_settings",
    "missing_key_message",
    "passwords_in",
    "shown_settings",
]
