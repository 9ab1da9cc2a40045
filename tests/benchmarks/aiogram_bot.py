"""The onboarding conversation as an aiogram 3 bot, to measure against.

Written as aiogram's own documentation writes bots: a dispatcher with a router, states in
`MemoryStorage`, one handler a question, filters on state and data, inline keyboards. The bodies enter
by `feed_raw_update` as parsed JSON, which is what its webhook server does with them.

It knows the English texts of infra/examples/onboarding.json by heart, so it has one language and no
scenario to interpret; it keeps no history, recognises no redelivery and no stale press. Its session
answers every call with a message made beforehand: it builds no request and reads no answer, both of
which an aiogram bot pays for in earnest.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any, cast

from aiogram import Bot, Dispatcher, F, Router, html
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.base import BaseSession
from aiogram.enums import ParseMode
from aiogram.filters import CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.memory import MemoryStorage
from aiogram.methods import SendMessage, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import (
    CallbackQuery,
    Chat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    TelegramObject,
)

from tests.benchmarks.files import ending_well, read_bodies, say
from tests.benchmarks.results import Result, cpu_clock

POSITIONS = {"food-guide": "Food Guide", "cook": "Cook", "manager": "Manager", "courier": "Courier"}
CITIZENSHIPS = {"РФ": "РФ", "СНГ": "СНГ"}
SHORT_PROJECT = "Please write the name of the project, in two letters or more."
RF_DOCUMENTS = """\
Please bring to your first day:
• passport
• taxpayer number (ИНН)
• insurance number (СНИЛС)
• employment record"""
SNG_DOCUMENTS = """\
Please bring to your first day:
• passport with a translation
• migration card
• registration at your place of stay
• work permit"""
SUMMARY = """\
Thank you, <b>{name}</b>! Here is what I noted:
Position: {position}
Project: {project}
Citizenship: {citizenship}

See you soon. Send /start to begin again."""

router = Router()


class Onboarding(StatesGroup):
    first_name = State()
    last_name = State()
    position = State()
    project = State()
    citizenship = State()


def keyboard(prefix: str, choices: Mapping[str, str]) -> InlineKeyboardMarkup:
    """One button a row; its data is `{prefix}:{value}`."""
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=label, callback_data=f"{prefix}:{value}")]
            for value, label in choices.items()
        ]
    )


POSITION_KEYBOARD = keyboard("position", POSITIONS)
CITIZENSHIP_KEYBOARD = keyboard("citizenship", CITIZENSHIPS)


@router.message(CommandStart())
async def start(message: Message, state: FSMContext) -> None:
    await state.set_data({})
    await state.set_state(Onboarding.first_name)
    await message.answer("Hello! What's your name?")


@router.message(Onboarding.first_name, F.text)
async def take_first_name(message: Message, state: FSMContext) -> None:
    await state.update_data(first_name=message.text)
    await state.set_state(Onboarding.last_name)
    await message.answer("Please enter your last name")


@router.message(Onboarding.last_name, F.text)
async def take_last_name(message: Message, state: FSMContext) -> None:
    await state.update_data(last_name=message.text)
    await state.set_state(Onboarding.position)
    await message.answer("What's your position in the company?", reply_markup=POSITION_KEYBOARD)


@router.message(Onboarding.position, F.text)
async def type_position(message: Message, state: FSMContext) -> None:
    value = typed(message.text, POSITIONS)
    if value is None:
        await message.answer("Please choose one of the buttons.", reply_markup=POSITION_KEYBOARD)
    else:
        await take_position(message, state, value)


@router.callback_query(Onboarding.position, F.data.startswith("position:"))
async def press_position(query: CallbackQuery, state: FSMContext) -> None:
    await query.answer()
    await take_position(cast("Message", query.message), state, pressed(query))


async def take_position(message: Message, state: FSMContext, value: str) -> None:
    await state.update_data(position=value)
    await state.set_state(Onboarding.project)
    await message.answer("Which project or restaurant are you joining?")


@router.message(Onboarding.project, F.text.len() < 2)
async def refuse_project(message: Message) -> None:
    await message.answer(SHORT_PROJECT)


@router.message(Onboarding.project, F.text)
async def take_project(message: Message, state: FSMContext) -> None:
    await state.update_data(project=message.text)
    await state.set_state(Onboarding.citizenship)
    await message.answer("What is your citizenship?", reply_markup=CITIZENSHIP_KEYBOARD)


@router.message(Onboarding.citizenship, F.text)
async def type_citizenship(message: Message, state: FSMContext) -> None:
    value = typed(message.text, CITIZENSHIPS)
    if value is None:
        await message.answer("Please choose one of the buttons.", reply_markup=CITIZENSHIP_KEYBOARD)
    else:
        await take_citizenship(message, state, value)


@router.callback_query(Onboarding.citizenship, F.data.startswith("citizenship:"))
async def press_citizenship(query: CallbackQuery, state: FSMContext) -> None:
    await query.answer()
    await take_citizenship(cast("Message", query.message), state, pressed(query))


async def take_citizenship(message: Message, state: FSMContext, value: str) -> None:
    data = await state.update_data(citizenship=value)
    await state.set_state(None)
    await message.answer(RF_DOCUMENTS if value == "РФ" else SNG_DOCUMENTS)
    await message.answer(
        SUMMARY.format(
            name=html.quote(f"{data['first_name']} {data['last_name']}"),
            position=POSITIONS[data["position"]],
            project=html.quote(data["project"]),
            citizenship=CITIZENSHIPS[value],
        )
    )


def typed(text: str | None, choices: Mapping[str, str]) -> str | None:
    """The value whose label was typed, in any case."""
    wanted = (text or "").strip().casefold()
    return next((value for value, label in choices.items() if label.casefold() == wanted), None)


def pressed(query: CallbackQuery) -> str:
    return (query.data or "").partition(":")[2]


class SilentSession(BaseSession):
    """Answers every call at once, without a network; counts what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._answer = Message(message_id=1, date=datetime.now(UTC), chat=Chat(id=1, type="private"))

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        timeout: int | None = None,  # noqa: ASYNC109 (aiogram's signature)
    ) -> TelegramType:
        answer: TelegramObject | bool = True
        if isinstance(method, SendMessage):
            self.said.append(method.text)
            answer = self._answer
        return cast("TelegramType", answer)

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,  # noqa: ASYNC109 (aiogram's signature)
        chunk_size: int = 65536,
        raise_for_status: bool = True,  # noqa: FBT001, FBT002 (aiogram's signature)
    ) -> AsyncGenerator[bytes, None]:
        raise NotImplementedError("no file is ever asked for")
        yield b""

    async def close(self) -> None:
        """There is nothing to close."""


async def run(bodies: Sequence[bytes]) -> Result:
    """Feed every body to the bot, one after the other; making the bot is not counted."""
    session = SilentSession()
    bot = Bot("42:benchmark", session=session, default=DefaultBotProperties(parse_mode=ParseMode.HTML))
    dispatcher = Dispatcher(storage=MemoryStorage())
    dispatcher.include_router(router)
    with cpu_clock() as clock:
        for body in bodies:
            await dispatcher.feed_raw_update(bot, json.loads(body))
    last_text = plain(session.said[-1]) if session.said else ""
    return Result.of(len(bodies), clock.seconds, len(session.said), last_text)


def plain(markup: str) -> str:
    """The characters that Telegram would show."""
    return unescape(re.sub(r"<[^>]+>", "", markup))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.aiogram_bot", description=__doc__)
    parser.add_argument("--bodies", type=Path, required=True, help="updates of Telegram, one JSON a line")
    options = parser.parse_args(arguments)
    say(asyncio.run(run(read_bodies(options.bodies))).line())


if __name__ == "__main__":
    ending_well(main)
