"""The acts of a test, and of whoever tries a scenario out, done to a conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from shared.dialog.events import (
    ButtonPressed,
    GivenBack,
    HandedOff,
    MessageReceived,
    OperatorWrote,
    Place,
    ReceivedFile,
    SharedContact,
    TaskFinished,
)
from shared.dialog.state import Task
from shared.scenario.durations import seconds_of
from shared.scenario.models import Answers, ContactSent, FileSent, PlaceSent, TestTurn
from shared.simulation.conversation import EPOCH, Conversation, Outcome
from shared.simulation.errors import Senseless

FAILED = "failed"
"""The error of a task's failure that gives none."""

CHANGE_IN_PLACE = ("telegram", "webchat")
PRESSED = "pressed"
"""The messengers that can change the message which a button is under, and what that one is called."""


def act(conversation: Conversation, turn: TestTurn) -> Outcome:
    """Do what the turn says. Raises `Senseless` for what cannot happen as the dialog stands."""
    (name,) = turn.model_fields_set - {"ask"}
    value = getattr(turn, name)
    if value is None or name == "expect":
        raise Senseless(f"“{name}” is nothing that can happen")
    conversation.begin_act()
    if name == "press":
        _press(conversation, value, turn.ask)
    else:
        _ACTS[name](conversation, value)
    return conversation.outcome()


def hand_off(conversation: Conversation) -> Outcome:
    """A person of the account takes the dialog over."""
    conversation.begin_act()
    conversation.apply(HandedOff(**conversation.stamp()))
    return conversation.outcome()


def _send(conversation: Conversation, text: str) -> None:
    conversation.apply(MessageReceived(text=text, **conversation.stamp()))


def _press(conversation: Conversation, named: Any, ask: int | None) -> None:
    data = conversation.board.pressed(named, ask).data
    message_id = PRESSED if conversation.dialog.platform in CHANGE_IN_PLACE else ""
    conversation.apply(ButtonPressed(data=data, message_id=message_id, **conversation.stamp()))


def _advance(conversation: Conversation, duration: str) -> None:
    conversation.advance(seconds_of(duration))


def _sends(
    kind: Literal["image", "video", "audio", "file"],
) -> Callable[[Conversation, FileSent], None]:
    def send(conversation: Conversation, sent: FileSent) -> None:
        stamp = conversation.stamp()
        file = ReceivedFile(
            kind, media_id=f"file-{stamp['id']}", file_name=sent.file_name or "", size=sent.size or 0
        )
        conversation.apply(
            MessageReceived(text=sent.caption, content=kind, file=file, album=sent.album, **stamp)
        )

    return send


def _share_contact(conversation: Conversation, sent: ContactSent) -> None:
    contact = SharedContact(**sent.model_dump())
    conversation.apply(MessageReceived(content="contact", contact=contact, **conversation.stamp()))


def _share_location(conversation: Conversation, sent: PlaceSent) -> None:
    place = Place(float(sent.latitude), float(sent.longitude), sent.title)
    conversation.apply(MessageReceived(content="location", place=place, **conversation.stamp()))


def _write_as_operator(conversation: Conversation, text: str) -> None:
    conversation.apply(OperatorWrote(text=text, **conversation.stamp()))


def _give_back(conversation: Conversation, to: str | bool) -> None:  # noqa: FBT001 (true, or a step)
    if conversation.dialog.handoff is None:
        raise Senseless("nobody has taken the dialog over, so it cannot be given back")
    step_id = to if isinstance(to, str) else None
    conversation.apply(GivenBack(step_id=step_id, **conversation.stamp()))


def _respond(conversation: Conversation, answers: Answers) -> None:
    task = conversation.task
    if task is None:
        raise Senseless("no task waits to be answered")
    result, error = _finished(task, answers)
    conversation.apply(
        TaskFinished(epoch=EPOCH, task=task.number, result=result, error=error, **conversation.stamp())
    )


_ACTS: Mapping[str, Callable[[Conversation, Any], None]] = {
    "send": _send,
    "advance": _advance,
    "respond": _respond,
    "photo": _sends("image"),
    "video": _sends("video"),
    "audio": _sends("audio"),
    "file": _sends("file"),
    "contact": _share_contact,
    "location": _share_location,
    "operator": _write_as_operator,
    "give_back": _give_back,
}


# --- what a task comes back with --------------------------------------------------------------------


def _finished(task: Task, answers: Answers) -> tuple[dict[str, Any], str]:
    """The result and the error of a task, as its worker would give them."""
    (kind,) = answers.model_fields_set
    if kind != task.kind:
        raise Senseless(f"the task that waits is of kind {task.kind}, not {kind}")
    answer = getattr(answers, kind)
    if isinstance(answer, dict) and isinstance(answer.get("error"), str):
        return {}, answer["error"] or FAILED
    return _RESULTS[kind](answer, task), ""


def _result_of_llm(answer: Any, task: Task) -> dict[str, Any]:
    """Either a result as the worker gives it, or only what the model says."""
    if isinstance(answer, dict) and answer and answer.keys() <= {"text", "choice", "object", "route"}:
        return answer
    output = task.request.get("output")
    kind = output if output in ("text", "choice", "object") else "text"
    return {kind: answer}


def _result_of_http(answer: Any, _task: Task) -> dict[str, Any]:
    return {"status": 200, "headers": {}, "body": None, **(answer or {})}


def _result_of_understand(answer: Any, _task: Task) -> dict[str, Any]:
    return {"values": answer or {}}


def _result_of_sync(answer: Any, _task: Task) -> dict[str, Any]:
    return answer or {}


_RESULTS: Mapping[str, Callable[[Any, Task], dict[str, Any]]] = {
    "llm": _result_of_llm,
    "http": _result_of_http,
    "understand": _result_of_understand,
    "sync": _result_of_sync,
}
