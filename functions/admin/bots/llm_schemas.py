"""A bot's language model as the API takes and shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from shared.admin_api.fields import ONE_LINE, Draft, View, shaped
from shared.admin_api.hints import masked
from shared.llm.settings import MAX_TOKENS_PER_DAY, ProviderName
from shared.storage.bot_settings import StoredSettings

ModelName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), ONE_LINE]
Key = Annotated[str, shaped(r"[!-~]{1,1024}|…[!-~]{0,4}", "1 to 1024 visible ASCII characters, no spaces")]
Address = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
ApiVersion = Annotated[str, shaped(r"[A-Za-z0-9.-]{1,40}", "a version of Azure looks like 2024-10-21")]


class ModelChange(Draft):
    """All of a bot's model.

    `openai` is OpenAI, or whoever speaks its protocol at `base_url`. For `azure`, `base_url` is the address
    of the resource and `model` the name of a deployment there. `temperature` and `max_tokens` are those of
    steps that name none; `max_tokens_per_day`, in and out together, ends with the day in UTC.
    """

    server_fields = frozenset({"bot_id", "created_at", "updated_at"})

    provider: ProviderName
    model: ModelName
    api_key: Key | None = None
    base_url: Address | None = None
    api_version: ApiVersion | None = None
    max_tokens_per_day: Annotated[int, Field(ge=1, le=10_000_000_000)] = MAX_TOKENS_PER_DAY
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] | None = None

    @model_validator(mode="after")
    def _of_one_provider(self) -> Self:
        is_azure = self.provider == "azure"
        if is_azure and not (self.base_url and self.api_version):
            raise ValueError("azure needs base_url, the address of the resource, and api_version")
        if self.api_version and not is_azure:
            raise ValueError("only azure has an api_version")
        return self

    def public(self) -> dict[str, Any]:
        """All but the key; what is not set is left out."""
        return self.model_dump(exclude={"api_key"}, exclude_none=True)

    def destination(self) -> tuple[str, str | None]:
        """Where the key is sent."""
        return self.destination_of(self.public())

    @staticmethod
    def destination_of(public: Mapping[str, Any]) -> tuple[str, str | None]:
        return public["provider"], public.get("base_url")


class ModelView(View):
    """A bot's model. Of its key only the last characters are shown."""

    bot_id: UUID
    provider: ProviderName
    model: str
    api_key: str
    base_url: str | None = None
    api_version: str | None = None
    max_tokens_per_day: int
    temperature: float | None = None
    max_tokens: int | None = None
    created_at: datetime
    updated_at: datetime


def model_view_of(stored: StoredSettings) -> ModelView:
    return ModelView(
        bot_id=UUID(stored.bot_id),
        api_key=masked(stored.hints["api_key"]),
        created_at=stored.created_at,
        updated_at=stored.updated_at,
        **stored.public,
    )
