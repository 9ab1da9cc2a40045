"""What connected messengers make of a scenario: WhatsApp's 24 hours, and what is shown in another way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.scenario.durations import seconds_of
from shared.scenario.findings import Finding
from shared.scenario.graph import Graph
from shared.scenario.linting.places import by_language
from shared.scenario.linting.steps import (
    Raw,
    choices_of,
    files_of,
    input_of,
    is_dynamic,
    messages_of,
    setting,
)
from shared.scenario.linting.subject import Capabilities, LibraryFile, Subject

WINDOW = 24 * 3600
"""Seconds after the person's last word in which WhatsApp takes a message that is no template."""

_CALLED = {"image": "a picture", "video": "a video", "audio": "a sound", "file": "a file"}

_SHARED = {"contact": "phone", "location": "location"}
"""What a messenger has to have a button for, as nobody can type it."""


def check(subject: Subject) -> Iterator[Finding]:
    yield from _only_templates(subject)
    messengers = subject.library.messengers or {}
    if "whatsapp" in messengers:
        yield from _templates(subject)
    for name, capabilities in messengers.items():
        for at, step in subject.steps():
            yield from _shown(subject, step, at, name, capabilities)
        yield from _files(subject, name, capabilities)


# --- WhatsApp's 24 hours ---------------------------------------------------------------------------


def _templates(subject: Subject) -> Iterator[Finding]:
    silences = silences_in(subject.graph)
    for node in subject.graph.nodes.values():
        if node.id not in silences:
            continue
        raw, silence = subject.raw(node.id), silences[node.id]
        for place, message in messages_of(raw):
            silence += seconds_of(message.get("delay") or "")
            if silence >= WINDOW and not message.get("whatsapp_template"):
                yield _too_late(subject, f"{node.pointer}{place}", "give it a whatsapp_template")
        yield from _reminders(subject, raw, silence, node.pointer)


def _only_templates(subject: Subject) -> Iterator[Finding]:
    for at, step in subject.steps():
        for place, message in messages_of(step):
            if message.get("whatsapp_template") and not message.get("media"):
                for pointer, words in by_language(message["text"], f"{at}{place}/text"):
                    if not words.strip():
                        advice = "within 24 hours of the person's last word, and elsewhere, nothing is said"
                        yield subject.finding("template_only", pointer, f"there is only a template: {advice}")


def _reminders(subject: Subject, step: Raw, silence: int, at: str) -> Iterator[Finding]:
    timeout, is_own = setting(subject.document, step, "timeout")
    if not timeout or timeout.get("remind") is None:
        return
    after, every = seconds_of(timeout["after"]), seconds_of(timeout.get("every") or timeout["after"])
    last = silence + seconds_of(step.get("wait") or "") + after + (timeout.get("times", 1) - 1) * every
    if last >= WINDOW:
        pointer = f"{at}/expected_input/timeout/remind" if is_own else "/defaults/timeout/remind"
        advice = "remind earlier, or lead to a step whose message has a whatsapp_template"
        yield _too_late(subject, pointer, advice)


def _too_late(subject: Subject, pointer: str, advice: str) -> Finding:
    message = f"this may come 24 hours after the person's last word, when WhatsApp refuses it: {advice}"
    return subject.finding("template_missing", pointer, message)


def silences_in(graph: Graph) -> Mapping[str, int]:
    """The most seconds since the person's last word, for each step that can be reached: up to 24 hours."""
    longest = dict.fromkeys(graph.roots, 0)
    waiting = list(longest)
    news = dict.fromkeys(graph.nodes, 0)
    while waiting:
        here = waiting.pop()
        for edge in graph.nodes[here].edges:
            if edge.target not in graph.nodes:
                continue
            silence = min((longest[here] if edge.silent else 0) + edge.seconds, WINDOW)
            if silence > longest.get(edge.target, -1):
                news[edge.target] += 1
                goes_round = news[edge.target] > len(graph.nodes)
                longest[edge.target] = WINDOW if goes_round else silence
                waiting.append(edge.target)
    return longest


# --- what a messenger can show ---------------------------------------------------------------------


def _shown(subject: Subject, step: Raw, at: str, messenger: str, can: Capabilities) -> Iterator[Finding]:
    for place, message in messages_of(step):
        for pointer, words in by_language(message.get("text", ""), f"{at}{place}/text"):
            if len(words) > can.max_text and "{{" not in words:
                how = f"shows at most {can.max_text} characters at once, and gets this in parts"
                yield _differently(subject, pointer, messenger, how)
    kind = input_of(step).get("type")
    if kind in _SHARED and _SHARED[kind] not in can.shares:
        how = f"has no button to share a {kind}: the person has to find out how to send one"
        yield _differently(subject, f"{at}/expected_input/type", messenger, how)
    yield from _buttons(subject, step, at, messenger, can)


def _buttons(subject: Subject, step: Raw, at: str, messenger: str, can: Capabilities) -> Iterator[Finding]:
    choices, links = choices_of(step), [b for b in step.get("buttons", []) if "url" in b]
    several = input_of(step).get("type") == "buttons"
    if several and not can.edits_in_place:
        how = "cannot mark several choices: these are written out as numbered text"
        yield _differently(subject, f"{at}/buttons", messenger, how)
        return
    if choices and len(choices) + several > can.max_buttons:
        how = f"has room for {can.max_buttons} buttons: these are written out as numbered text"
        yield _differently(subject, f"{at}/buttons", messenger, how)
        return
    if links and not can.link_buttons:
        yield _differently(
            subject, f"{at}/buttons", messenger, "has no links as buttons: they are written out"
        )
    for index, button in choices:
        for pointer, words in by_language(button["text"], f"{at}/buttons/{index}/text"):
            if len(words) > can.max_button_label and "{{" not in words and not is_dynamic(button):
                how = f"shows {can.max_button_label} characters of a button: this is cut"
                yield _differently(subject, pointer, messenger, how)


def _files(subject: Subject, messenger: str, can: Capabilities) -> Iterator[Finding]:
    """Files of the library that go as something else; of those at addresses nothing is known."""
    known = subject.library.media or {}
    for at, media in files_of(subject.document):
        file = known.get(media["media_id"])
        if file is None or not file.is_ready or messenger in file.fitted:
            continue
        kind = media.get("type") or file.file_type
        shown = can.shown_as(kind, file.content_type, file.size, file.width, file.height)
        if shown != kind:
            how = "it goes as a file" if shown else "its address is told instead"
            yield _differently(subject, at, messenger, f"{_why_not(kind, file, can)}: {how}")


def _why_not(kind: str, file: LibraryFile, can: Capabilities) -> str:
    limits = can.media.get(kind)
    if limits is None:
        return f"has no place for {_CALLED[kind]}"
    if limits.content_types and file.content_type and file.content_type not in limits.content_types:
        return f"does not show {file.content_type} as {_CALLED[kind]}"
    if file.size > limits.max_bytes:
        most, size = _megabytes(limits.max_bytes), _megabytes(file.size)
        return f"shows {_CALLED[kind]} of up to {most}, and this has {size}"
    if 0 < limits.max_sides < file.width + file.height:
        return f"shows {_CALLED[kind]} of {limits.max_sides} pixels, both sides together, and this has more"
    return f"shows {_CALLED[kind]} up to {limits.max_ratio} times as long as wide, and this is longer"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.3g} MB"


def _differently(subject: Subject, pointer: str, messenger: str, how: str) -> Finding:
    return subject.finding("cannot_show", pointer, f"{messenger} {how}")
