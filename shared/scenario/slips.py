"""What an author probably meant by an expression that does not compile; imported only where one is met."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from shared.scenario.caps import MAX_NESTING
from shared.scenario.errors import ExpressionError
from shared.scenario.sources import offset_of

ELSEWHERE = {
    "value": "“value” means something only in the rules of an answer",
    "item": "“item” means something only in buttons with for_each",
    "index": "“index” means something only in buttons with for_each",
    "secret": "secret(…) stands only in an http action, as {{ secret('name') }}",
}
"""Words of the language, in a place where they have no meaning."""

FAMILIES = {
    "answered": "“answered” stands before a dot: answered.name",
    "bot": "“bot” stands before a dot: bot.name",
    "contact": "“contact” stands before a dot and a field of the person's record",
    "input": "“input” stands before a dot: input.text",
    "user": "“user” stands before a dot: user.first_name",
}
"""Names that mean nothing alone."""

FUNCTIONS = {
    "answered": "write answered.name, with a dot",
    "at": "at(day, 'HH:MM') takes a day and a time",
    "date": "date('2026-12-31') takes a text",
    "days": "days(…) takes a number",
    "format": "format(x, 'DD.MM.YYYY') takes a day, a time or a number, and a pattern in quotes",
    "hours": "hours(…) takes a number",
    "label": "label(…) takes a variable that a button fills",
    "lower": "lower(…) takes a text",
    "minutes": "minutes(…) takes a number",
    "upper": "upper(…) takes a text",
}
"""What the language's own functions take."""

METHODS = {
    "contains": "text.contains('part')",
    "endsWith": "text.endsWith('part')",
    "matches": "text.matches('pattern')",
    "startsWith": "text.startsWith('part')",
}
"""Functions of texts, which stand behind a dot."""

MEANT = {
    "len": "size(…)",
    "length": "size(…)",
    "count": "size(…)",
    "str": "string(…)",
    "float": "double(…)",
    "toLowerCase": "lower(…)",
    "toUpperCase": "upper(…)",
    "lowercase": "lower(…)",
    "uppercase": "upper(…)",
    "includes": "text.contains('part')",
    "startswith": "text.startsWith('part')",
    "endswith": "text.endsWith('part')",
    "today": "today",
    "now": "now",
}
"""What functions of other languages are called here."""

_POSITION = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")
_IN_BRACES = re.compile(r"\s*\{\{")
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")


def explained(source: str, error: str, declared: Iterable[str]) -> ExpressionError:
    """CEL's complaint about a source, in an author's words and at a character of theirs."""
    match = _POSITION.search(error)
    if not match:
        return ExpressionError(_without_position(error))
    offset = offset_of(source, int(match[1]), int(match[2]))
    if _IN_BRACES.match(source):
        return ExpressionError("an expression stands without {{ }} here")
    if message := hint(source, offset):
        return ExpressionError(message, offset + 1)
    if "select operation" in match[3]:
        return ExpressionError(_no_such_part(source[offset + 1 :]), offset + 1)
    if undeclared := _UNDECLARED.search(match[3]):
        return _undeclared(source, undeclared[1], offset, declared)
    return ExpressionError(_in_plain_words(match[3]), offset + 1)


def _without_position(error: str) -> str:
    if "recursion" in error:
        return f"an expression nests at most {MAX_NESTING} deep"
    return error.splitlines()[0][:300]


def _undeclared(source: str, name: str, offset: int, declared: Iterable[str]) -> ExpressionError:
    family = name.partition(".")[0]
    is_call = source[offset] == "("
    start = source.rfind(family, 0, offset) if source[offset] in ".(" else offset
    if family in ELSEWHERE:
        return ExpressionError(ELSEWHERE[family], start + 1)
    if name in FAMILIES and not is_call:
        return ExpressionError(FAMILIES[name], start + 1)
    if is_call:
        return ExpressionError(_no_such_call(name), start + 1)
    message = f"nothing sets or declares “{name}”" + _suggestion(source[:start], name, declared)
    return ExpressionError(message, start + 1, undeclared=name)


def _no_such_call(name: str) -> str:
    if takes := FUNCTIONS.get(name.partition(".")[0]):
        return takes
    if meant := METHODS.get(name) or MEANT.get(name):
        return f"there is no function “{name}” here; write {meant}"
    known = [*FUNCTIONS, *METHODS, "size", "string", "int", "double", "timestamp", "duration"]
    close = [] if name in known else difflib.get_close_matches(name, known, 1, 0.75)
    return f"there is no function “{name}” that takes this" + (
        f"; did you mean “{close[0]}”?" if close else ""
    )


def _no_such_part(after: str) -> str:
    name = (re.match(r"\s*(\w*)", after) or [""])[0].strip()
    meant = MEANT.get(name) or {"size": "size(…)"}.get(name)
    return f"there is no “{name}” here" + (f"; write {meant}" if meant else "; only a map has parts")


def _suggestion(before: str, name: str, declared: Iterable[str]) -> str:
    family, _, variable = name.partition(".")
    if family in ("answered", "label"):
        declared = [each for each in declared if "." not in each]
        close = [f"{family}.{each}" for each in difflib.get_close_matches(variable, declared, 1, 0.75)]
    else:
        close = difflib.get_close_matches(name, declared, 1, 0.75)
    if close:
        return f"; did you mean “{close[0]}”?"
    looks_like_text = name[0].isupper() or re.search(r"[=!]=\s*$", before)
    return f"; a text needs quotes: '{name}'" if looks_like_text else ""


def hint(source: str, position: int) -> str:
    """What was probably meant by a usual slip at this character of the source, or nothing."""
    places = [position]
    if not re.match(r"\w", source[position : position + 1]):
        places.append(max(0, position - 1))
    if negated := re.search(r"\bnot\s+$", source[:position]):
        places.append(negated.start())
    return next((cure for slip, cure in _SLIPS if any(slip.match(source, place) for place in places)), "")


_ASK = "write null, or ask answered.name whether a variable has a value"

_SLIPS = [
    (re.compile(r"and\b", re.IGNORECASE), "write && for “and”"),
    (re.compile(r"or\b", re.IGNORECASE), "write || for “or”"),
    (re.compile(r"not\b", re.IGNORECASE), "write ! for “not”"),
    (re.compile(r"True\b|False\b|TRUE\b|FALSE\b"), "write true and false in small letters"),
    (re.compile(r"(?:is|==)\s+(?:not\s+)?(?:None|null|empty)\b"), _ASK),
    (re.compile(r"is\b"), "write == for “is”"),
    (re.compile(r"None\b|nil\b|undefined\b"), _ASK),
    (re.compile(r"(?:и|И)(?![^\W\d_])"), "write && for “и”"),
    (re.compile(r"(?:или|ИЛИ|Или)(?![^\W\d_])"), "write || for “или”"),
    (re.compile(r"(?:не|НЕ|Не)(?![^\W\d_])"), "write ! for “не”"),
    (re.compile(r"&(?!&)"), "write && for “and”"),
    (re.compile(r"\|(?!\|)"), "write || for “or”"),
    (re.compile(r"(?:if|then|else|elif)\b"), "write a ? b : c for “if a then b else c”"),
    (re.compile(r"(?<=[=!]=)="), "write == and != to compare"),
    (re.compile(r"(?<=\d),(?=\d)"), "write a fraction with a dot: 1.5"),
    (re.compile(r"(?<=\?)[?:]"), "write answered.x ? x : 'something else'"),
    (re.compile(r"""(?<=f)['"]"""), "join texts with +: 'Hello, ' + name"),
    (re.compile(r"=>|=<"), "write >= and <="),
    (re.compile(r"\*\*|\^"), "there is no sign for powers; multiply"),
    (re.compile(r"\$\{?|@|#"), "a variable stands by its name alone"),
    (re.compile(r"(?:\+\+|\+=|-=)"), "an expression changes nothing; assign with set"),
    (re.compile(r"(?<![=!<>])=(?![=~])"), "write == to compare"),
    (re.compile(r"<>"), "write != for “is not”"),
    (re.compile(r"[“”„«»‘’]"), "write straight quotes: ' or \""),
    (re.compile(r"[^\W\da-zA-Z_]"), "a text needs quotes: 'like this'"),
]

_DAY, _SPAN = r"google\.protobuf\.Timestamp", r"google\.protobuf\.Duration"
_IN_PLAIN_WORDS = [
    (
        re.compile(rf".*applied to '\((?:{_DAY}, string|string, {_DAY})\)'.*"),
        "a day is compared with a day: date('2026-12-31')",
    ),
    (
        re.compile(rf".*'_[+-]_' applied to '\({_DAY}, (?:int|double)\)'.*"),
        "write days(7) or hours(3) for what is added to a day",
    ),
    (re.compile(r".*'@in' applied to '\(string, string\)'.*"), "write text.contains('part')"),
    (re.compile(r".*'contains' applied to '\(list\(.*"), "write value in list"),
    (
        re.compile(r"found no matching overload for '_?@?([^_@].*?)_?' applied to '(.*)'.*"),
        r"“\1” does not take \2",
    ),
    (re.compile(r".*'<EOF>'.*"), "the expression ends too early"),
    (re.compile(r"(?:mismatched|extraneous) input '(.+)' expecting.*"), r"“\1” does not fit here"),
    (re.compile(r"(?:token recognition error at:|no viable.* input) '(.+)'"), r"“\1” does not fit here"),
]
_TYPES = {
    "int": "integer",
    "double": "number",
    "bool": "boolean",
    "google.protobuf.Timestamp": "date",
    "google.protobuf.Duration": "duration",
    "null_type": "null",
    "dyn": "any",
}
_TYPE = re.compile(rf"\b(?:{'|'.join(map(re.escape, _TYPES))})\b")


def _in_plain_words(message: str) -> str:
    """CEL's words in an author's."""
    for pattern, words in _IN_PLAIN_WORDS:
        if match := pattern.fullmatch(message):
            told = match.expand(words)
            return _TYPE.sub(lambda kind: _TYPES[kind[0]], told) if "does not take" in told else told
    return message.replace(" (in container '')", "")
