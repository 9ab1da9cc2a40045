"""Whether every text is there in every language, and the person's language is one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.scenario.findings import Finding
from shared.scenario.languages import by_tag
from shared.scenario.linting.places import texts_of
from shared.scenario.linting.steps import choices_of, expects_choice, input_of, is_dynamic
from shared.scenario.linting.subject import Subject

LANGUAGE = "language"
"""The variable that tells in which language a dialog is held."""


def check(subject: Subject) -> Iterator[Finding]:
    wanted = set(subject.compiled.languages)
    if not wanted:
        return
    for pointer, text in texts_of(subject.document):
        if isinstance(text, Mapping) and (missing := sorted(wanted - set(text))):
            message = f"no words in {', '.join(missing)}"
            yield subject.finding("missing_language", pointer, message)
    known = by_tag(subject.compiled.languages)
    for pointer, value in _set_to(subject):
        if value.lower() not in known and value.lower().partition("-")[0] not in known:
            message = (
                f"the scenario has no words in “{value}”; it has {', '.join(subject.compiled.languages)}"
            )
            yield subject.finding("unknown_language", pointer, message)


def _set_to(subject: Subject) -> Iterator[tuple[str, str]]:
    """The languages that choices and assignments name."""
    initial = subject.compiled.initial.get(LANGUAGE)
    if isinstance(initial, str):
        yield f"/variables/{LANGUAGE}/initial", initial
    for at, step in subject.steps():
        if expects_choice(step) and input_of(step).get("variable") == LANGUAGE:
            for index, button in choices_of(step):
                if not is_dynamic(button) and isinstance(button["value"], str):
                    yield f"{at}/buttons/{index}/value", button["value"]
        for place in ("before", "set"):
            source = step.get(place, {}).get(LANGUAGE, "").strip()
            if source[:1] in ("'", '"') and source.count(source[0]) == 2 and source[-1] == source[0]:  # noqa: PLR2004
                yield f"{at}/{place}/{LANGUAGE}", source[1:-1]
