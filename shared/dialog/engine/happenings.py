"""The last layer: every event, and what it sets going."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.dialog.engine.answers import Answers, broken_off_by, starts_over, trail_behind
from shared.dialog.engine.turn import Turn
from shared.dialog.engine.walk import has_open_run, stopped, timeout_of
from shared.dialog.events import (
    FROM_PERSON,
    ButtonPressed,
    ChatBlocked,
    ChatUnblocked,
    GivenBack,
    HandedOff,
    MessageReceived,
    OperatorWrote,
    RunRequested,
    TaskFinished,
    TimerFired,
)
from shared.dialog.messages import Message
from shared.dialog.sealing import MASK
from shared.dialog.state import Ask, Handoff, Pending, Status
from shared.scenario.caps import MAX_CONTACT_BYTES, MAX_SILENT_TURNS
from shared.scenario.compiled import CompiledHandoff, CompiledHttp, CompiledLlm, CompiledStep
from shared.scenario.inputs import extract
from shared.scenario.kinds import fits, in_words
from shared.scenario.texts import printed

_SUCCESS = range(200, 300)


class Failed(Exception):
    """What a task has brought is of no use."""


class Happenings(Answers):
    def turn(self) -> Turn:
        """Apply the event."""
        self._break_silence()
        self._look_behind_block()
        if self.dialog.handoff and isinstance(self.event, FROM_PERSON):
            self._only_record()
        else:
            self._apply()
        if self.is_too_large():
            self.say_less()
        self._set_status()
        return self.finished()

    def _only_record(self) -> None:
        """A person of the account reads along: nothing is interpreted, though it may be an answer."""
        ask = self.dialog.ask
        if ask and (step := self.scenario.steps.get(ask.step_id)):
            self.mark_private(step)

    def _apply(self) -> None:
        event = self.event
        if start := starts_over(event):
            self.start(start)
            return
        match event:
            case MessageReceived():
                self.receive(event)
            case ButtonPressed():
                self.press(event)
            case ChatBlocked():
                self._block()
            case TimerFired(epoch=self.dialog.epoch):
                self._timer_fired(event.timer)
            case TaskFinished(epoch=self.dialog.epoch):
                self._task_finished(event)
            case _:
                self._act_for_account()

    def _act_for_account(self) -> None:
        """What a person of the account does."""
        match event := self.event:
            case RunRequested():
                self.begin(variables=event.variables)
            case HandedOff():
                self._take_from_bot(event.reason)
            case OperatorWrote():
                self._say_for_operator(event.text)
            case GivenBack():
                self._give_back(event.step_id)

    def _break_silence(self) -> None:
        """Timers and tasks cannot keep a dialog going for ever by themselves."""
        if not isinstance(self.event, (TimerFired, TaskFinished)):
            self.dialog.silent_turns = 0

    def _is_allowed_to_go_on(self) -> bool:
        self.dialog.silent_turns += 1
        if self.dialog.silent_turns <= MAX_SILENT_TURNS:
            return True
        self.break_off(f"more than {MAX_SILENT_TURNS} turns without a word from the person")
        return False

    def _set_status(self) -> None:
        dialog = self.dialog
        dialog.status = self._status()
        if dialog.blocked:
            dialog.blocked, dialog.status = dialog.status, "blocked"

    def _status(self) -> Status:
        dialog = self.dialog
        if dialog.handoff:
            return "handed_off"
        if dialog.status == "completed":
            return "completed"
        return "busy" if dialog.pending else "active"

    # --- blocked chats --------------------------------------------------------------------------------

    def _block(self) -> None:
        """Nothing that is said arrives: the clocks of questions stop until the person is back."""
        dialog = self.dialog
        dialog.ask = stopped(dialog.ask)
        self.stop_suspended()
        dialog.blocked = dialog.status

    def _look_behind_block(self) -> None:
        """A word from the person opens the chat again; anything else happens behind the block."""
        dialog = self.dialog
        if not dialog.blocked:
            return
        dialog.status = dialog.blocked
        if isinstance(self.event, (*FROM_PERSON, ChatUnblocked)):
            dialog.blocked = ""
            if not dialog.handoff:
                self._wind_up_all()

    # --- timers ---------------------------------------------------------------------------------------

    def _timer_fired(self, number: int) -> None:
        dialog, pending, handoff = self.dialog, self.dialog.pending, self.dialog.handoff
        suspended = dialog.detour.ask if dialog.detour else None
        if dialog.ask and _is(number, dialog.ask):
            if self._is_allowed_to_go_on():
                self._remind(dialog.ask)
        elif suspended and _is(number, suspended):
            if self._is_allowed_to_go_on():
                self._remind_of(suspended)
        elif pending and _is(number, pending):
            self._wait_is_over(pending)
        elif handoff and _is(number, handoff):
            self._nobody_came(handoff)

    def _remind(self, ask: Ask) -> None:
        """Say the next reminder of the open question, or leave it where there were enough."""
        step = self.step_of(ask)
        timeout = timeout_of(step) if step else None
        if step is None or timeout is None:
            return
        if timeout.remind is None or ask.reminded >= timeout.times:
            self._run_out(step, timeout.next_step)
            return
        self.dialog.ask = self._reminded(ask, timeout.every, timeout.times, timeout.next_step)
        several = bool(step.input and step.input.type == "buttons")
        self.say(timeout.remind, self.buttons(step, ask), several=several)

    def _reminded(self, ask: Ask, every: int, times: int, next_step: str | None) -> Ask:
        reminded = ask.reminded + 1
        goes_on = reminded < times or next_step is not None
        timer = self.new_timer(every) if goes_on else None
        return msgspec.structs.replace(ask, reminded=reminded, timer=timer)

    def _run_out(self, step: CompiledStep, next_step: str | None) -> None:
        if next_step is None:
            return
        self.dialog.ask = None
        self.went(step.id, "timeout")
        self.walk(next_step)

    def _remind_of(self, suspended: Ask) -> None:
        """The clock of a question that a command has interrupted goes on; when it runs out, so does that."""
        dialog, detour = self.dialog, self.dialog.detour
        if detour is None:
            return
        inside = dialog.ask, dialog.pending, dialog.calls, dialog.trail
        dialog.ask, dialog.pending, dialog.detour = suspended, None, None
        dialog.calls, dialog.trail = detour.calls, detour.trail
        self.rescope()
        self._remind(suspended)
        still_open = self.dialog.ask
        if still_open is None or still_open.number != suspended.number:
            return
        dialog.detour = msgspec.structs.replace(detour, ask=still_open)
        dialog.ask, dialog.pending, dialog.calls, dialog.trail = inside
        self.rescope()

    def _wait_is_over(self, pending: Pending) -> None:
        step = self._step_of_work(pending)
        if step and self._is_allowed_to_go_on():
            self.walk(self.after_action(step, pending.ask))

    def _step_of_work(self, pending: Pending) -> CompiledStep | None:
        """The step whose work is done; the dialog no longer waits for it."""
        self.dialog.pending = None
        step = self.scenario.steps.get(pending.step_id)
        if step is None:
            self.break_off("the work that is done belongs to a step that is gone")
        return step

    # --- tasks ----------------------------------------------------------------------------------------

    def _task_finished(self, event: TaskFinished) -> None:
        pending = self.dialog.pending
        if event.task == self.dialog.contact_task:
            self._meet(event)
            return
        if pending is None or pending.kind == "wait" or pending.number != event.task:
            return
        step = self._step_of_work(pending)
        if step is None or not self._is_allowed_to_go_on():
            return
        try:
            route = self._use(step, pending, event)
        except Failed as failed:
            self._task_failed(step, pending, str(failed))
            return
        self.walk(self.after_action(step, pending.ask, route or pending.route))

    def _meet(self, event: TaskFinished) -> None:
        """Take what is known of the person; a run that has waited for it begins."""
        dialog, pending = self.dialog, self.dialog.pending
        dialog.contact_task = None
        dialog.contact = self._known(event)
        if pending is None or pending.number != event.task:
            return
        dialog.pending = None
        if not self._is_allowed_to_go_on():
            return
        self.walk(pending.step_id)
        if pending.held:
            self.event = pending.held
            self.take_up(pending.held)

    def _known(self, event: TaskFinished) -> dict[str, Any]:
        """What of a record fits its fields; nobody is known where it could not be found out."""
        found, fields = event.result.get("contact"), self.own.contact
        record: dict[str, Any] = found if isinstance(found, dict) else {}
        if event.error:
            self.notes.append(f"contact: {event.error}")
        given = {name: record[name] for name in fields if record.get(name) is not None}
        unfit = [name for name, value in given.items() if not fits(value, fields[name])]
        self.notes += [
            f"“contact.{name}” was not taken: it is not {in_words(fields[name])}" for name in unfit
        ]
        known = {name: value for name, value in given.items() if name not in unfit}
        if len(msgspec.json.encode(known)) <= MAX_CONTACT_BYTES:
            return known
        self.notes.append(f"contact: the record takes more than {MAX_CONTACT_BYTES // 1024} KB")
        return {}

    def _use(self, step: CompiledStep, pending: Pending, event: TaskFinished) -> str | None:
        """Take what a task has brought; the step that a model has chosen, if it has. Raises `Failed`."""
        result = event.result
        if event.error:
            raise Failed(event.error)
        if pending.kind == "understand":
            self._use_understanding(step, result)
        elif isinstance(step.action, CompiledLlm):
            return self._use_words(step, step.action, result)
        elif isinstance(step.action, CompiledHttp):
            self._use_answer(step.action, result)
        return None

    def _use_words(self, step: CompiledStep, llm: CompiledLlm, result: dict[str, Any]) -> str | None:
        name = result.get("route")
        if name is not None and not (isinstance(name, str) and name in llm.routes):
            raise Failed("the model chose a route that is not declared")
        value = result.get(llm.output)
        if value is None and name is None and not llm.is_only_routing:
            raise Failed(f"the model gave no {llm.output}")
        if value is not None:
            self._check_output(llm, value)
            if llm.variable:
                self._keep_found(llm.variable, value)
            if llm.reply:
                masked = MASK if llm.variable in self.scenario.sensitive else ""
                self.tell(Message(extract(printed(value, self.languages()[0])), masked=masked))
        if name is None:
            return None
        self.went(step.id, f"routes/{name}")
        return llm.routes[name]

    def _check_output(self, llm: CompiledLlm, value: Any) -> None:
        if llm.output == "object" and not isinstance(value, dict):
            raise Failed("the model gave something else than an object")
        if llm.output != "object" and not (isinstance(value, str) and value.strip()):
            raise Failed("the model gave something else than words")
        if llm.output == "choice" and value not in llm.options:
            raise Failed("the model chose something that is no option")

    def _use_answer(self, http: CompiledHttp, result: dict[str, Any]) -> None:
        status = result.get("status")
        if status not in _SUCCESS:
            raise Failed(f"the server answered {status}")
        if http.variable:
            answer = {name: result.get(name) for name in ("status", "body", "headers")}
            self._keep_found(http.variable, answer)

    def _keep_found(self, name: str, value: Any) -> None:
        """Raises `Failed` where it cannot be kept: what follows counts on it."""
        if not self.put(name, value):
            raise Failed("what came back cannot be kept")

    def _use_understanding(self, step: CompiledStep, result: dict[str, Any]) -> None:
        found = result.get("values")
        values: dict[str, Any] = found if isinstance(found, dict) else {}
        for name in step.input.fill if step.input else ():
            if values.get(name) is not None:
                self.understood(name, values[name])

    def _task_failed(self, step: CompiledStep, pending: Pending, error: str) -> None:
        self.notes.append(f"step “{step.id}”: {error}")
        action = step.action
        on_error = action.on_error if isinstance(action, CompiledLlm | CompiledHttp) else None
        if on_error and pending.kind != "understand":
            self.went(step.id, "on_error")
            self.walk(on_error)
            return
        if pending.kind not in ("understand", "sync"):
            self.say_words("action_failed")
        self.walk(self.after_action(step, pending.ask, pending.route))

    # --- people of the account ------------------------------------------------------------------------

    def _take_from_bot(self, reason: str) -> None:
        """A person takes the dialog over; its clocks stop, and work that is under way is given up."""
        dialog, pending = self.dialog, self.dialog.pending
        if dialog.handoff:
            return
        redo, enter = broken_off_by(pending)
        dialog.pending = None
        dialog.ask = stopped(dialog.ask)
        self.stop_suspended()
        dialog.handoff = Handoff(
            reason=extract(reason),
            is_over=not has_open_run(dialog),
            ask=pending.ask if pending else None,
            redo=redo,
            enter=enter,
        )

    def _say_for_operator(self, text: str) -> None:
        words = extract(text)
        if words:
            self.tell(Message(words, by_operator=True))

    def _give_back(self, step_id: str | None) -> None:
        dialog, handoff = self.dialog, self.dialog.handoff
        if handoff is None:
            return
        dialog.handoff = None
        if step_id is not None and step_id in self.own.steps:
            self._go_to(step_id, is_over=handoff.is_over)
            return
        if step_id is not None:
            self.notes.append(f"there is no step “{step_id}” to give the dialog back to")
        if handoff.is_over:
            dialog.status = "completed" if dialog.run else "active"
        else:
            self._continue(handoff)

    def _go_to(self, step_id: str, *, is_over: bool) -> None:
        dialog = self.dialog
        if is_over:
            dialog.status = "completed" if dialog.run else "active"
            self.begin(at=step_id)
            return
        dialog.status = "active"
        dialog.trail = trail_behind(dialog.detour or self.interrupted())
        dialog.ask = dialog.detour = None
        self.leave_calls()
        self.walk(step_id)

    def _continue(self, handoff: Handoff) -> None:
        """Go on where the bot was when the person took over."""
        self.dialog.status = "active"
        self._wind_up_all()
        if handoff.step_id is not None:
            self._after_handoff(handoff)
        elif handoff.redo is not None:
            self.walk(self.redo(handoff.redo, handoff.ask))
        elif handoff.enter is not None:
            self.walk(handoff.enter)
        elif self.dialog.ask:
            self.show_again()

    def _wind_up_all(self) -> None:
        dialog, detour = self.dialog, self.dialog.detour
        if dialog.ask and (step := self.scenario.steps.get(dialog.ask.step_id)):
            dialog.ask = self.wound_up(step, dialog.ask)
        if detour and detour.ask:
            inner = dialog.calls
            dialog.calls = detour.calls
            self.rescope()
            if step := self.scenario.steps.get(detour.ask.step_id):
                dialog.detour = msgspec.structs.replace(detour, ask=self.wound_up(step, detour.ask))
            dialog.calls = inner
            self.rescope()

    def _after_handoff(self, handoff: Handoff) -> None:
        step = self.scenario.steps.get(handoff.step_id or "")
        if step is None:
            self.break_off("the step that handed the dialog over is gone")
            return
        self.walk(self.after_action(step, handoff.ask))

    def _nobody_came(self, handoff: Handoff) -> None:
        """The time of a hand-off is up."""
        self.dialog.handoff = None
        self.dialog.status = "active"
        self._wind_up_all()
        step = self.scenario.steps.get(handoff.step_id or "")
        action = step.action if step else None
        if not self._is_allowed_to_go_on():
            return
        if step and isinstance(action, CompiledHandoff) and action.next_step:
            self.went(step.id, "timeout")
            self.walk(action.next_step)
        else:
            self._after_handoff(handoff)


def _is(number: int, holder: Ask | Pending | Handoff) -> bool:
    return holder.timer is not None and holder.timer.number == number
