"""What the linter tells, and every code it tells by."""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["error", "warning"]

ERRORS: dict[str, str] = {
    "unknown_step": "a step is named that does not exist",
    "unknown_media": "a file is named that the library does not have",
    "media_not_ready": "a file of the library has not arrived yet, or was refused",
    "wrong_media_type": "a file of the library is of another type than is said",
    "unknown_scenario": "a scenario is called that the bot does not have",
    "duplicate_step": "two steps have the same id",
    "unknown_name": "an expression names what nothing sets or declares",
    "bad_expression": "an expression does not parse, has the wrong type, or never has a value",
    "not_printed": "a `{{ }}` stands where nothing is printed",
    "type_conflict": "a variable is given values of different types",
    "bad_initial": "an initial value is not of the declared type",
    "too_large": "the initial values take more than a run may hold",
    "no_buttons": "a button is expected where there is none",
    "when_empty_missing": "every choice may be hidden, and `when_empty` does not say where to go then",
    "ambiguous_choices": "two choices read the same to who types them",
    "choice_is_command": "a choice reads like a command",
    "choice_is_done": "a choice of several reads like the button that finishes it",
    "ambiguous_commands": "two commands read the same, or one reads like `/start`",
    "on_failure_missing": "`max_attempts` without `on_failure`",
    "bad_pattern": "a regular expression is wrong",
    "bad_limit": "a limit of an answer is not a value of its kind",
    "bad_range": "no answer can keep within its limits",
    "remind_missing": "a timeout has `every` or `times`, and nothing to remind with",
    "fill_unasked": "`understand` fills a variable that no question asks for",
    "ambiguous_options": "two options of a model's choice are the same, or one is empty",
    "bad_schema": "a JSON Schema is none, or one that cannot be used",
    "bad_link": "an address does not start with https:// or http:// and a host",
    "endless_cycle": "steps go round for ever without a word from the person",
    "scenario_recursion": "a scenario calls itself, directly or through others",
    "too_deep": "scenarios call one another more than eight deep",
    "unknown_input": "an input is given that the called scenario does not know",
}
"""What refuses activation."""

WARNINGS: dict[str, str] = {
    "unreachable_step": "no way leads to a step",
    "maybe_unset": "a variable may have no value yet where it is printed, or decides whether the run goes on",
    "cycle": "steps may go round without a word from the person until a condition ends it",
    "long_turn": "so much may follow at once that the turn is broken off",
    "long_silence": "so many timers and tasks may follow one another that the run is broken off",
    "missing_language": "a text lacks one of the scenario's languages",
    "unknown_language": "the variable `language` may be set to one that the scenario does not have",
    "template_missing": "a message may come when WhatsApp takes only a template, and has none",
    "template_only": "a message is nothing but a WhatsApp template, so that mostly nothing is said",
    "cannot_show": "a connected messenger shows something in another way than it is written",
    "missing_input": "a called scenario reads a variable that nothing gives it",
    "scope_in_call": "a called scenario has a variable of scope `person`, which survives no runs there",
    "contact_unset": "what is known of people is read, and the bot's sync does not say where to look",
    "model_unset": "a language model is asked, and the bot has none",
    "secret_unset": "a request names a secret that the bot does not have",
    "understand_sensitive": "`understand` stands at a sensitive variable, or fills one",
    "unknown_in_test": "a test names what does not exist",
}
"""What an author should know, and may leave."""

CODES: dict[str, str] = ERRORS | WARNINGS


def severity_of(code: str) -> Severity:
    return "error" if code in ERRORS else "warning"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to mend. `path` holds step ids from the start, or nothing."""

    severity: Severity
    code: str
    message: str
    pointer: str
    step_id: str | None = None
    path: tuple[str, ...] = ()
