from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.commands import ROOT
from infra.local.errors import StartError

# What the shell may set, and the template's parameter for it.
PARAMETERS = {
    "TELEGRAM_API_URL": "TelegramApiUrl",
    "WHATSAPP_API_URL": "WhatsAppApiUrl",
    "WHATSAPP_API_VERSION": "WhatsAppApiVersion",
    "VIBER_API_URL": "ViberApiUrl",
    "PRIVATE_HOSTS": "PrivateHosts",
    "SUPABASE_URL": "SupabaseUrl",
    "LOG_LEVEL": "LogLevel",
}


@dataclass(frozen=True)
class Settings:
    """What one embedded run is started with."""

    port: int = 8000
    state_dir: Path = ROOT / ".local"
    parameters: dict[str, str] = field(default_factory=dict)
    telegram_token: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        given = {
            parameter: environment[name] for name, parameter in PARAMETERS.items() if environment.get(name)
        }
        return cls(
            port=_port(environment.get("PORT") or "8000"),
            state_dir=Path(environment.get("PARLEY_STATE") or ROOT / ".local").absolute(),
            parameters=given,
            telegram_token=environment.get("TELEGRAM_TOKEN", "").strip(),
        )

    @property
    def telegram_api_url(self) -> str:
        return self.parameters.get("TelegramApiUrl", "https://api.telegram.org")


def _port(text: str) -> int:
    highest = 65535
    if not text.isdecimal() or not 0 < int(text) <= highest:
        raise StartError(f"PORT={text} is not a port; say a number from 1 to {highest}.")
    return int(text)
