from __future__ import annotations

import pytest

from shared.admin_api.hints import masked, sent_anew
from shared.errors import Invalid


@pytest.mark.parametrize(("sent", "hint"), [(None, "cret"), ("…cret", "cret"), ("…", ""), (None, "")])
def test_secret_stays_where_none_is_sent_or_it_as_it_is_shown(sent: str | None, hint: str) -> None:
    assert sent_anew(sent, hint, "/api_key") is None


@pytest.mark.parametrize("hint", [None, "", "cret"])
def test_secret_that_is_sent_is_a_new_one(hint: str | None) -> None:
    assert sent_anew("a secret", hint, "/api_key") == "a secret"
    assert sent_anew("cret", hint, "/api_key") == "cret"


@pytest.mark.parametrize(("sent", "hint"), [(None, None), (masked("cret"), None), (masked("cre"), "cret")])
def test_secret_that_is_not_there_cannot_stay(sent: str | None, hint: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        sent_anew(sent, hint, "/api_key")

    assert [violation.pointer for violation in caught.value.violations] == ["/api_key"]
