"""Scenarios made up by hypothesis: in form, mostly sane, with every feature of the language in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.scenario.documents import CALLED_ID, Document

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
    "when > today",
    "size(chosen) > 1",
    "'x' in chosen",
    "found.status == 200",
    "anything == 1",
    "now > at(today, '09:00')",
]
ASSIGNMENTS = {
    "n": ["n + 1", "m * 2", "0", "1 / m"],
    "m": ["m + n", "size(name)", "3"],
    "name": ["name + '!'", "label(pick)", "'x'", "null", "user.first_name"],
    "city": ["name + city", "'Moscow'"],
    "rate": ["rate * 1.5", "rate + n"],
    "when": ["today", "when + days(1)", "date('2026-12-31')", "now", "null"],
    "chosen": ["['a', 'b']", "[name]", "null"],
    "anything": ["1", "'x'", "found.body", "chosen", "1 / 0"],
}
WORDS = [
    "Hello!",
    "Hi, *{{ name }}* of {{ city }}",
    "{{ n }} and {{ rate }}: {{ 1 / n }}",
    "_{{ label(pick) }}_ [go](https://example.com/{{ name }})",
    {"en": "English {{ name }}", "ru": "По-русски {{ name }}"},
    "",
    "\\{{ not an expression }}",
    "{{ when }} {{ format(today, 'DD.MM.YYYY') }} {{ chosen }} {{ found }} {{ anything }}",
]
VARIABLES = {
    "n": {"type": "integer", "initial": 0},
    "m": {"type": "integer"},
    "name": {"type": "string"},
    "city": {"type": "string"},
    "rate": {"type": "number", "initial": 1},
    "pick": {"type": "any"},
    "when": {"type": "date", "sensitive": True},
    "chosen": {"type": "list", "initial": ["x"]},
    "found": {"type": "map"},
    "anything": {"type": "any", "scope": "person"},
}
FILLED = {
    "text": ["name", "city"],
    "email": ["name", "city"],
    "phone": ["name"],
    "url": ["city"],
    "time": ["city"],
    "number": ["rate"],
    "integer": ["n", "m"],
    "date": ["when"],
    "location": ["found"],
    "contact": ["found"],
    "media": ["anything"],
    "any": ["anything"],
    "button": [CHOSEN],
    "buttons": ["chosen"],
}
LIMITS: dict[str, list[Document]] = {
    "text": [{"min_length": 1, "max_length": 3}, {"pattern": "[a-z]*"}],
    "number": [{"min": 0, "max": 5.5}, {"min": "n"}],
    "integer": [{"max": 5}, {"min": "m", "rules": [{"reject_if": "value > n", "message": "{{ value }}?"}]}],
    "date": [{"min": "today"}, {"max": "2026-12-31"}, {"max": "when"}],
    "time": [{"min": "09:00"}],
    "phone": [{"region": "DE"}],
    "contact": [{"own": True}],
    "media": [{"max": 3}, {"accept": ["image"], "max_bytes": 7}],
    "buttons": [{"min": 1}, {"max": 1}],
}
DURATIONS = ["30s", "10m", "2h", "3d"]


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
    each = {
        "for_each": _some(["chosen", "[n, m]"]),
        "text": st.just("{{ item }}"),
        "value": _some(["item", "index"]),
    }
    link = st.just({"text": "Docs", "url": "https://example.com/{{ name }}"})
    extra = st.lists(link, max_size=1) | st.lists(_fields(each, optional), max_size=1)
    return st.tuples(choices, extra).map(lambda both: both[0] + both[1])


def timeouts(ids: list[str]) -> st.SearchStrategy[Document]:
    after = {"after": _some(DURATIONS)}
    reminding = _fields(
        after | {"remind": _some(WORDS)},
        {"every": _some(DURATIONS), "times": st.integers(1, 3), "next_step": _targets(ids)},
    )
    return reminding | _fields(after | {"next_step": _targets(ids)}, {})


def inputs(ids: list[str], kind: str) -> st.SearchStrategy[Document]:
    optional = {
        "variable": _some(FILLED[kind]),
        "skip_if_set": st.just(value=True),
        "error_message": _some(WORDS),
        "timeout": timeouts(ids),
    }
    if kind in LIMITS:
        optional["validation"] = _some(LIMITS[kind])
    if kind == "text":
        optional["understand"] = st.just({"fill": ["n", "when"]})
    limits = st.fixed_dictionaries({"max_attempts": st.integers(1, 3), "on_failure": _targets(ids)})
    return st.tuples(_fields({"type": st.just(kind)}, optional), st.just({}) | limits).map(
        lambda both: both[0] | both[1]
    )


def actions(ids: list[str]) -> st.SearchStrategy[Document]:
    """Every kind of work, as a field of a step."""
    route = st.fixed_dictionaries({"step": _targets(ids), "when": st.just("it fits")})
    llm = _fields(
        {"prompt": _some(WORDS)},
        {
            "variable": st.just("name"),
            "reply": st.booleans(),
            "routes": st.fixed_dictionaries({"x": route}),
            "on_error": _targets(ids),
        },
    )
    http = _fields(
        {"method": st.just("POST"), "url": st.just("https://example.com/{{ name }}")},
        {
            "variable": st.just("found"),
            "on_error": _targets(ids),
            "body": st.just({"n": "{{ n }}", "x": ["{{ name }}!"]}),
        },
    )
    timed = _fields({"timeout": _some(DURATIONS)}, {"next_step": _targets(ids), "reason": _some(WORDS)})
    handoff = timed | _fields({}, {"reason": _some(WORDS)})
    call = _fields(
        {"id": st.just(CALLED_ID)},
        {"inputs": st.just({"who": "name"}), "outputs": st.just({"anything": "words"})},
    )
    kinds = {
        "llm": llm,
        "http": http,
        "handoff": handoff,
        "scenario": call,
        "wait": _some(DURATIONS),
        "sync": st.just({}),
    }
    return st.one_of([st.fixed_dictionaries({name: kind}) for name, kind in kinds.items()])


@st.composite
def steps(draw: st.DrawFn, id_: str, ids: list[str]) -> Document:
    """A step of any kind; about half of them wait."""
    kind = draw(_some(["say", "say", "say", "links", "button", "buttons", *FILLED]))
    step: Document = {"id": id_}
    if draw(st.booleans()) or kind in ("say", "links"):
        words = draw(st.lists(_some([each for each in WORDS if each]), min_size=1, max_size=2))
        step["message"] = [{"text": each} for each in words]
    if kind in ("button", "buttons") or (kind in FILLED and draw(st.booleans())):
        step["buttons"] = draw(buttons(ids))
    if kind == "links":
        step["buttons"] = [{"text": "Docs", "url": "https://example.com/{{ name }}"}]
    if kind in FILLED and (kind != "button" or draw(st.booleans())):
        step["expected_input"] = draw(inputs(ids, kind))
    if kind in ("button", "buttons"):
        step["when_empty"] = draw(_targets(ids))
    if not draw(st.integers(0, 3)):
        step |= draw(actions(ids))
    optional = {"before": assignments(), "set": assignments(), "conditions": conditions(ids)}
    step |= draw(st.fixed_dictionaries({}, optional=optional))
    if draw(st.integers(0, 2)):
        step["next_step"] = draw(_targets(ids))
    elif not draw(st.integers(0, 3)):
        step["end"] = True
    return step


def commands(ids: list[str]) -> st.SearchStrategy[Document]:
    leading = _fields({"next_step": _targets(ids)}, {"resume": st.booleans(), "description": _some(["Help"])})
    optional = {"/help": leading, "menu": leading, "/back": st.just({"back": True})}
    return st.fixed_dictionaries({}, optional=optional)


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
        "defaults": st.fixed_dictionaries({"max_attempts": st.just(2), "on_failure": _targets(targets)})
        | st.fixed_dictionaries({"timeout": timeouts(targets)}),
        "fallbacks": st.just({"ended": {"en": "Over", "ru": "Всё"}, "not_text": "{{ name }}?"}),
        "after_end": _some(["tell", "restart", "ignore", *targets]),
        "first_message": _some(["start", "answer"]),
        "start": _targets(targets),
        "commands": commands(targets),
        "timezone": _some(["UTC", "America/New_York"]),
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
