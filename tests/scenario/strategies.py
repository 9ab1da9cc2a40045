"""Scenarios made up by hypothesis: in form, mostly sane, with every feature of the language in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.scenario.documents import Document

IDS = ["a", "b", "c", "d", "e"]
TEXTS = ["name", "city"]
NUMBERS = ["n", "m"]
CHOSEN = "pick"

CHOICES: list[Document] = [
    {"text": "Apple", "value": "a"},
    {"text": {"en": "Banana 🍌", "ru": "Банан 🍌"}, "value": "b"},
    {"text": "One {{ name }}", "value": 1},
    {"text": "<2>", "value": 2},
    {"text": "*Yes*", "value": True},
]

CONDITIONS = [
    "n > 2",
    "n + m < 5",
    "rate > n",
    "name == 'x'",
    "city.startsWith('M') && n < 3",
    "answered.name",
    "!answered.pick",
    "pick == 'a' || pick == 1",
    "random < 0.5",
    "1 / n > 0",
    "platform == 'telegram'",
    "true",
    "false",
]
ASSIGNMENTS = {
    "n": ["n + 1", "m * 2", "0", "1 / m"],
    "m": ["m + n", "size(name)", "3"],
    "name": ["name + '!'", "label(pick)", "'x'", "null", "user.first_name"],
    "city": ["name + city", "'Moscow'"],
    "rate": ["rate * 1.5", "rate + n"],
}
WORDS = [
    "Hello!",
    "Hi, *{{ name }}* of {{ city }}",
    "{{ n }} and {{ rate }}: {{ 1 / n }}",
    "_{{ label(pick) }}_ [go](https://example.com/{{ name }})",
    {"en": "English {{ name }}", "ru": "По-русски {{ name }}"},
    "",
    "\\{{ not an expression }}",
]
VARIABLES = {
    "n": {"type": "integer", "initial": 0},
    "m": {"type": "integer"},
    "name": {"type": "string"},
    "city": {"type": "string"},
    "rate": {"type": "number", "initial": 1},
    "pick": {"type": "any"},
}


def _some(options: list[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(options)


def _targets(ids: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(ids)


def _fields(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Document]:
    return st.fixed_dictionaries(required, optional=optional)


def conditions(ids: list[str]) -> st.SearchStrategy[list[Document]]:
    leads = st.none() | _targets(ids)
    one = _fields({"if": _some(CONDITIONS), "then": leads}, {"else": leads})
    return st.lists(one, min_size=1, max_size=2)


def assignments() -> st.SearchStrategy[Document]:
    pairs = [(name, source) for name, sources in ASSIGNMENTS.items() for source in sources]
    return st.lists(_some(pairs), max_size=3).map(dict)


def buttons(ids: list[str]) -> st.SearchStrategy[list[Document]]:
    optional = {"next_step": _targets(ids), "show_if": _some(CONDITIONS)}
    choice = st.tuples(_some(CHOICES), _fields({}, optional)).map(lambda both: both[0] | both[1])
    choices = st.lists(choice, min_size=1, max_size=4, unique_by=lambda each: str(each["value"]))
    link = st.just({"text": "Docs", "url": "https://example.com/{{ name }}"})
    return st.tuples(choices, st.lists(link, max_size=1)).map(lambda both: both[0] + both[1])


def inputs(ids: list[str], kind: str) -> st.SearchStrategy[Document]:
    validation = st.fixed_dictionaries(
        {},
        optional={
            "min_length": st.integers(0, 2),
            "max_length": st.integers(3, 5),
            "pattern": _some(["[a-z]*"]),
        },
    )
    limits = st.fixed_dictionaries({"max_attempts": st.integers(1, 3), "on_failure": _targets(ids)})
    variable = st.just(CHOSEN) if kind == "button" else _some(TEXTS)
    optional = {"variable": variable, "skip_if_set": st.sampled_from([True]), "error_message": _some(WORDS)}
    if kind == "text":
        optional["validation"] = validation
    return st.tuples(_fields({"type": st.just(kind)}, optional), st.just({}) | limits).map(
        lambda both: both[0] | both[1]
    )


@st.composite
def steps(draw: st.DrawFn, id_: str, ids: list[str]) -> Document:
    """A step of any kind; about half of them wait."""
    kind = draw(_some(["say", "say", "text", "button", "links"]))
    step: Document = {"id": id_}
    if draw(st.booleans()) or kind in ("say", "links"):
        words = draw(st.lists(_some(WORDS), min_size=1, max_size=2))
        step["message"] = [{"text": each} for each in words]
    if kind == "button" or (kind == "text" and draw(st.booleans())):
        step["buttons"] = draw(buttons(ids))
    if kind == "links":
        step["buttons"] = [{"text": "Docs", "url": "https://example.com/{{ name }}"}]
    if kind == "text" or (kind == "button" and draw(st.booleans())):
        step["expected_input"] = draw(inputs(ids, kind))
    if kind == "button":
        step["when_empty"] = draw(_targets(ids))
    optional = {"before": assignments(), "set": assignments(), "conditions": conditions(ids)}
    step |= draw(st.fixed_dictionaries({}, optional=optional))
    if draw(st.integers(0, 2)):
        step["next_step"] = draw(_targets(ids))
    elif not draw(st.integers(0, 3)):
        step["end"] = True
    return step


@st.composite
def scenarios(draw: st.DrawFn, *, spare_ids: tuple[str, ...] = ()) -> Document:
    """A document in form. Steps may also lead to `spare_ids`, which do not exist."""
    ids = IDS[: draw(st.integers(1, len(IDS)))]
    targets = [*ids, *spare_ids]
    leads = st.none() | _targets(targets)
    level = _fields({"if": _some(CONDITIONS), "then": leads}, {"else": leads, "after": _targets(ids)})
    optional = {
        "languages": st.just(["en", "ru"]),
        "conditions": st.lists(level, max_size=2),
        "defaults": st.fixed_dictionaries({"max_attempts": st.just(2), "on_failure": _targets(targets)}),
        "fallbacks": st.just({"ended": {"en": "Over", "ru": "Всё"}, "not_text": "{{ name }}?"}),
        "after_end": _some(["tell", "restart", "ignore", *targets]),
        "first_message": _some(["start", "answer"]),
        "start": _targets(targets),
    }
    fields = draw(st.fixed_dictionaries({}, optional=optional))
    return {
        "version": "1",
        "variables": VARIABLES,
        "steps": [draw(steps(id_, targets)) for id_ in ids],
        **fields,
    }


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | _some([*IDS, *CONDITIONS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SNIPPETS = _some(
    ["{{", "{{ zz }}", "{{ 'a }}", "{{ n + }}", "x = 1", "and", "*", "(", "\ue000", "n + 1.5", "\U000ffffe"]
)


def mutated(value: Any, data: st.DataObject) -> Any:
    """A document with something in it replaced."""
    if isinstance(value, dict | list) and value and data.draw(st.integers(0, 9)):
        copy = value.copy()
        key = data.draw(_some(list(copy) if isinstance(copy, dict) else list(range(len(copy)))))
        copy[key] = mutated(copy[key], data)
        return copy
    if isinstance(value, str) and data.draw(st.booleans()):
        return value + data.draw(SNIPPETS)
    return data.draw(JSON)
