"""Previews as the API takes and shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

import msgspec
from pydantic import Field

from functions.admin.scenarios.preview import Previewed, Shown
from functions.admin.scenarios.trial_schemas import Trial
from shared.admin_api.fields import View
from shared.platforms.base import Rendered
from shared.scenario.fields import Given, Language, StepId
from shared.simulation.conversation import Opening
from shared.storage.bots import Bot

Platform = Literal["telegram", "whatsapp", "viber", "webchat"]


class Preview(Trial):
    """A step to look at, of a run that has these variables; on every platform unless some are named.

    Among the variables `contact` is what is known of the person.
    """

    step: StepId
    variables: Annotated[dict[Given, Any], Field(default_factory=dict)]
    language: Language = "en"
    platforms: Annotated[
        list[Platform], Field(default_factory=lambda: list(get_args(Platform)), min_length=1, max_length=4)
    ]

    def openings(self, bot: Bot) -> list[Opening]:
        """One for each platform."""
        return [
            Opening(
                platform=platform,
                language=self.language,
                given=self.variables,
                bot_name=bot.name,
                timezone=bot.timezone,
                contact_fields=bot.contact_fields,
            )
            for platform in dict.fromkeys(self.platforms)
        ]


class RequestView(View):
    """A POST to a messenger; words in capitals stand for what only the sender knows.

    Files of the library stand by their public addresses, also where the messenger gets them in another way.
    """

    url: str
    json_: Annotated[dict[str, Any], Field(alias="json", serialization_alias="json")]


class MessageView(View):
    """A message of the step; the web chat shows it as it is, so there is no request for it.

    `template` is what WhatsApp is sent in its place to somebody who has not written for 24 hours.
    """

    message: dict[str, Any]
    requests: list[RequestView]
    degradations: tuple[str, ...]
    template: list[RequestView] | None


class PlatformPreview(View):
    """The step on one platform; `notes` tell what went wrong in it."""

    platform: Platform
    messages: list[MessageView]
    notes: tuple[str, ...]


class PreviewView(View):
    """The step, side by side."""

    step: str
    previews: list[PlatformPreview]


def preview_view(step: str, previewed: Iterable[Previewed]) -> PreviewView:
    return PreviewView(step=step, previews=[_platform(each) for each in previewed])


def _platform(previewed: Previewed) -> PlatformPreview:
    messages = [_message(shown) for shown in previewed.shown]
    return PlatformPreview.model_validate(
        {"platform": previewed.platform, "messages": messages, "notes": previewed.notes}
    )


def _message(shown: Shown) -> MessageView:
    return MessageView.model_validate(
        {
            "message": msgspec.to_builtins(shown.message),
            "requests": _requests(shown.rendered),
            "degradations": shown.rendered.degradations,
            "template": shown.template and _requests(shown.template),
        }
    )


def _requests(rendered: Rendered) -> list[dict[str, Any]]:
    return [{"url": each.url, "json": dict(each.json)} for each in rendered.requests]
