"""The bot's own words, where the author gives none: what it says when an answer does not fit."""

from __future__ import annotations

DEFAULT_LANGUAGE = "en"
"""Of the bot's own words, where neither the scenario nor the messenger tells a language."""

FALLBACKS: dict[str, dict[str, str]] = {
    "en": {
        "choose_button": "Please choose one of the buttons.",
        "not_text": "That answer does not fit. Please write it as text, as the question asks.",
        "stale_button": "That button belongs to an earlier question.",
        "ended": "This conversation is over. Send /start to begin again.",
        "unsupported": "I cannot read this kind of message.",
        "action_failed": "Something went wrong on our side. Send /start to begin again.",
    },
    "ru": {
        "choose_button": "Пожалуйста, выберите один из вариантов.",
        "not_text": "Такой ответ не подходит. Пожалуйста, напишите текстом то, о чём спрашивают.",
        "stale_button": "Эта кнопка относится к прошлому вопросу.",
        "ended": "Разговор окончен. Отправьте /start, чтобы начать заново.",
        "unsupported": "Я не умею читать такие сообщения.",
        "action_failed": "У нас что-то пошло не так. Отправьте /start, чтобы начать заново.",
    },
}
