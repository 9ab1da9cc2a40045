from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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

MODEL = "gpt-4.1-mini"


@dataclass(frozen=True)
class Settings:
    """What one embedded run is started with."""

    port: int = 8000
    state_dir: Path = ROOT / ".local"
    parameters: dict[str, str] = field(default_factory=dict)
    telegram_token: str = field(default="", repr=False)
    model: dict[str, Any] | None = field(default=None, repr=False)

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
            model=_model(environment),
        )

    @property
    def telegram_api_url(self) -> str:
        return self.parameters.get("TelegramApiUrl", "https://api.telegram.org")

    def private_hosts(self, *more: str) -> str:
        """What bots may call beside public addresses: what was said so, and what is set to such a place."""
        own = (self.model or {}).get("base_url", "")
        named = [self.parameters.get("PrivateHosts", ""), *map(_host_of, filter(None, [own, *more]))]
        return ",".join(filter(None, named))


def _model(environment: Mapping[str, str]) -> dict[str, Any] | None:
    """What the examples ask, as the admin API takes it; nothing without a key."""
    key = environment.get("OPENAI_API_KEY", "").strip()
    base_url = environment.get("OPENAI_BASE_URL", "").strip()
    if not key:
        return None
    model = {"provider": "openai", "model": environment.get("OPENAI_MODEL") or MODEL, "api_key": key}
    return model | ({"base_url": base_url} if base_url else {})


def _host_of(url: str) -> str:
    """Host and port, where both are said: a public address needs no mention."""
    there = urlsplit(url)
    return there.netloc.rpartition("@")[2] if there.port else ""


def _port(text: str) -> int:
    highest = 65535
    if not text.isdecimal() or not 0 < int(text) <= highest:
        raise StartError(f"PORT={text} is not a port; say a number from 1 to {highest}.")
    return int(text)
