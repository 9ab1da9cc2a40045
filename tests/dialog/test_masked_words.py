"""What a message prints of something sensitive is said to the person, and masked for everybody else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dialog.talk import Talk
from tests.scenario.documents import Document, ask, say, scenario


def talk_about(message: Any, *, is_sensitive: bool = True, **variables: Any) -> Talk:
    declared = {"pin": {"type": "string", "sensitive": is_sensitive}, **variables}
    shown: Document = say("b") | {"message": message}
    talk = Talk(scenario(ask("a", "pin", next_step="b"), shown, variables=declared))
    talk.start()
    return talk


@pytest.mark.parametrize(
    ("message", "said", "masked"),
    [
        ({"text": "Yours is *{{ pin }}*."}, "Yours is 4000.", "Yours is •••."),
        ({"text": "{{ 'no ' + pin }}"}, "no 4000", "no •••"),
        ({"text": "{{ input.text }}!"}, "4000!", "•••!"),
        ({"text": "{{ pin.size() == 4 ? 'fits' : '' }}"}, "fits", "•••"),
        ({"text": "It is {{ pin }}.", "delay": "3s"}, "It is 4000.", "It is •••."),
        ({"text": "Thanks on {{ platform }}."}, "Thanks on telegram.", ""),
        ({"text": "Thanks."}, "Thanks.", ""),
    ],
)
def test_a_text_has_a_masked_one_beside_it_where_it_prints_a_secret(
    message: Document, said: str, masked: str
) -> None:
    talk = talk_about(message)
    talk.say("4000")
    (told,) = talk.turn.messages
    assert (told.text, told.masked) == (said, masked)
    assert "4000" not in told.masked


@pytest.mark.parametrize(
    ("parameter", "masked"), [("{{ pin }}", "Here it is."), ("{{ platform }}", ""), ("4000", "")]
)
def test_a_template_that_prints_a_secret_is_for_the_person_alone(parameter: str, masked: str) -> None:
    template = {"name": "pin", "language": "en", "parameters": [parameter]}
    talk = talk_about({"text": "Here it is.", "whatsapp_template": template})
    talk.say("4000")
    (told,) = talk.turn.messages
    assert told.masked == masked


def test_what_is_not_sensitive_is_not_masked() -> None:
    talk = talk_about({"text": "It is {{ pin }}."}, is_sensitive=False)
    talk.say("4000")
    assert [told.masked for told in talk.turn.messages] == [""]
