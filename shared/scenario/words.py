"""The bot's own words, where the author gives none: what it says when an answer does not fit.

`done`, `share_phone` and `share_location` are the labels of buttons.
"""

from __future__ import annotations

DEFAULT_LANGUAGE = "en"
"""Of the bot's own words, where neither the scenario nor the messenger tells a language."""

FALLBACKS: dict[str, dict[str, str]] = {
    "en": {
        "choose_button": "Please choose one of the buttons.",
        "choose_buttons": "Please choose from the options. You can pick several: 1, 3.",
        "done": "Done",
        "not_text": "That answer does not fit. Please write it as text, as the question asks.",
        "not_number": "Please send a number that fits the question, like 12 or 3.5.",
        "not_integer": "Please send a whole number that fits the question, like 12.",
        "not_date": "Please send a date that fits the question, like 31.12.2026, or “tomorrow”.",
        "not_time": "Please send a time that fits the question, like 18:30.",
        "not_email": "That does not look like an email address. Please check it: name@example.com.",
        "not_phone": "That does not look like a phone number. Please send it with the country code: "
        "+1 202 555 0123.",
        "not_url": "That does not look like a link. Please check it: https://example.com.",
        "not_location": "Please share a location: look for it in the menu where you attach files.",
        "not_contact": "Please share a contact: look for it in the menu where you attach files.",
        "not_own_contact": "That is somebody else's contact. Please share your own.",
        "not_media": "That file does not fit. Please send one of the kind and size the question asks for.",
        "share_phone": "📱 Share my phone number",
        "share_location": "📍 Share my location",
        "stale_button": "That button belongs to an earlier question.",
        "busy": "One moment, please: I am still working on it.",
        "ended": "This conversation is over. Send /start to begin again.",
        "unsupported": "I cannot read this kind of message.",
        "action_failed": "Sorry, something went wrong on our side. If nothing more comes, send /start.",
    },
    "ru": {
        "choose_button": "Пожалуйста, выберите один из вариантов.",
        "choose_buttons": "Пожалуйста, выберите из вариантов. Можно несколько: 1, 3.",
        "done": "Готово",
        "not_text": "Такой ответ не подходит. Пожалуйста, напишите текстом то, о чём спрашивают.",
        "not_number": "Пожалуйста, пришлите подходящее число, например 12 или 3,5.",
        "not_integer": "Пожалуйста, пришлите подходящее целое число, например 12.",
        "not_date": "Пожалуйста, пришлите подходящую дату, например 31.12.2026 или «завтра».",
        "not_time": "Пожалуйста, пришлите подходящее время, например 18:30.",
        "not_email": "Не похоже на адрес почты. Пожалуйста, проверьте его: name@example.com.",
        "not_phone": "Не похоже на номер телефона. Пожалуйста, пришлите его с кодом страны: "
        "+7 999 123-45-67.",
        "not_url": "Не похоже на ссылку. Пожалуйста, проверьте её: https://example.com.",
        "not_location": "Пожалуйста, поделитесь местоположением: оно есть в меню, где прикрепляют файлы.",
        "not_contact": "Пожалуйста, поделитесь контактом: он есть в меню, где прикрепляют файлы.",
        "not_own_contact": "Это чужой контакт. Пожалуйста, поделитесь своим.",
        "not_media": "Этот файл не подходит. Пожалуйста, пришлите такой, о каком просят.",
        "share_phone": "📱 Отправить мой номер",
        "share_location": "📍 Отправить, где я",
        "stale_button": "Эта кнопка относится к прошлому вопросу.",
        "busy": "Минутку, пожалуйста: ещё работаю над этим.",
        "ended": "Разговор окончен. Отправьте /start, чтобы начать заново.",
        "unsupported": "Я не умею читать такие сообщения.",
        "action_failed": "Простите, у нас что-то пошло не так. Если ответа больше нет, отправьте /start.",
    },
}
