"""The layer of ways: runs, steps, what a step does, and where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.dialog.engine.speech import Speech
from shared.dialog.state import Ask, Call, Choice, Dialog, Handoff, Pending
from shared.scenario.caps import MAX_CALL_DEPTH, MAX_TURN_BYTES, MAX_TURN_MESSAGES, MAX_TURN_STEPS
from shared.scenario.compiled import (
    CompiledAction,
    CompiledCall,
    CompiledCondition,
    CompiledHandoff,
    CompiledHttp,
    CompiledLlm,
    CompiledScenario,
    CompiledStep,
    CompiledTimeout,
    CompiledWait,
)
from shared.scenario.compiler import value_key
from shared.scenario.expressions import ExpressionError
from shared.scenario.inputs import extract

SYNC_TIMEOUT = 30
"""Seconds that the account's main system has to take what was collected."""

CONTACT_TIMEOUT = 10
"""Seconds that it has to say what it knows of the person."""


class Walk(Speech):
    # --- runs ---------------------------------------------------------------------------------------

    def begin(
        self,
        payload: str = "",
        at: str | None = None,
        variables: Mapping[str, Any] | None = None,
        *,
        at_once: bool = False,
    ) -> None:
        """A new run, from the start or from another step; an unfinished one is closed.

        Where the scenario reads what is known of the person, that is found out before the first step, or with
        `at_once` by the way.
        """
        if has_open_run(self.dialog):
            self._close("abandoned")
        dialog = self.dialog
        self._set_down()
        self.leave_calls()
        dialog.run += 1
        dialog.status = "active"
        dialog.asks = 0
        dialog.accepted = ""
        dialog.trail = ()
        dialog.used_conditions = ()
        kept = {name: dialog.kept[name] for name in self.own.kept if name in dialog.kept}
        dialog.variables = {**self.own.initial, **kept}
        if payload := extract(payload):
            self.put("start_payload", payload)
        self._take_over(variables or {})
        self._look_up_contact()
        if at_once or dialog.contact_task is None:
            self.walk(at or self.own.start)
        else:
            dialog.current_step = at or self.own.start
            dialog.pending = Pending("contact", dialog.contact_task, dialog.current_step)

    def _look_up_contact(self) -> None:
        """Ask the account's main system for what it knows of the person, if any of it is read."""
        dialog, scenarios = self.dialog, (self.own, *self.called.values())
        dialog.contact = {}
        if self.own.contact and any(scenario.reads_contact for scenario in scenarios):
            request = {"username": dialog.person.username, "variables": dialog.variables}
            dialog.contact_task = self.new_task("contact", request, CONTACT_TIMEOUT)

    def _take_over(self, variables: Mapping[str, Any]) -> None:
        """Set what came from outside; the scenario has to know it."""
        for name, value in variables.items():
            if name in self.own.environment.variables:
                self.put(name, value)
            else:
                self.notes.append(f"“{name}” was not stored: the scenario has no such variable")

    def _told(self, status: str) -> dict[str, Any]:
        """The run, for whoever keeps what was collected."""
        return {"run": self.dialog.run, "status": status, "collected_data": self.dialog.variables}

    def _close(self, how: str) -> None:
        self.ended_runs.append(self._told(how))
        self._set_down()
        if album := self.dialog.album:  # more of it may be on its way, and is for this run
            self.dialog.album = msgspec.structs.replace(album, max=0)
        self.leave_calls()
        self.dialog.status = "completed"

    def _set_down(self) -> None:
        """Nothing is waited for any longer."""
        dialog = self.dialog
        dialog.ask = dialog.pending = dialog.handoff = dialog.detour = dialog.contact_task = None

    def leave_calls(self) -> None:
        self.dialog.calls = ()
        self.scenario = self.own

    def break_off(self, note: str) -> None:
        """An author's mistake that leaves nowhere to go: say so, end the run; the dialog can begin anew."""
        self.notes.append(note)
        self.say_words("action_failed")
        if has_open_run(self.dialog):
            self._close("broken_off")

    def say_less(self) -> None:
        self.messages.clear()
        self.break_off(f"the turn takes more than {MAX_TURN_BYTES // 1024} KB")

    # --- steps --------------------------------------------------------------------------------------

    def walk(self, step_id: str | None) -> None:
        """Pass steps until one waits for something, or the run ends."""
        while True:
            if step_id is not None:
                step_id = self._enter(step_id)
            elif self._rests():
                return
            else:
                step_id = self._end_of_way()

    def _rests(self) -> bool:
        dialog = self.dialog
        waits = dialog.ask or dialog.pending or dialog.handoff
        return waits is not None or dialog.status == "completed"

    def _enter(self, step_id: str) -> str | None:
        step = self.scenario.steps.get(step_id)
        if step is None:
            self.break_off(f"there is no step “{step_id}”")
            return None
        if not self._has_room_for(step):
            self.break_off(f"more than {MAX_TURN_STEPS} steps or {MAX_TURN_MESSAGES} messages in one turn")
            return None
        self.steps_passed += 1
        self.dialog.current_step = step.id
        self.went(step.id, "")
        return self._pass(step)

    def _has_room_for(self, step: CompiledStep) -> bool:
        says = len(step.messages) or bool(step.buttons)
        return self.steps_passed < MAX_TURN_STEPS and len(self.messages) + says <= MAX_TURN_MESSAGES

    def _pass(self, step: CompiledStep) -> str | None:
        """Carry a step out up to where it waits. Where it leads; None if it waits, or leads nowhere."""
        self.assign(step.before)
        if step.input is None:
            self.say_step(step, self.links(step))
            return self.act(step, None) if step.action else self.next_after(step)
        if step.action is None and self._is_answered(step):
            return self.next_after(step)
        choices = self.choices(step)
        if not choices and step.input.type in ("button", "buttons"):
            return self._when_empty(step)
        self.dialog.asks += 1
        ask = Ask(self.dialog.asks, step.id, choices)
        if step.action:
            self.say_step(step, self.buttons(step, ask) if step.messages else ())
            return self.act(step, ask)
        self.say_step(step, self.buttons(step, ask))
        self.open(step, ask)
        return None

    def _is_answered(self, step: CompiledStep) -> bool:
        asked = step.input
        return bool(asked and asked.skip_if_set and asked.variable in self.variables)

    def _when_empty(self, step: CompiledStep) -> str | None:
        """A question of which no choice is left."""
        if step.when_empty is None:
            self.break_off(f"step “{step.id}” has no choice left and no when_empty")
            return None
        self.went(step.id, "when_empty")
        return step.when_empty

    def open(self, step: CompiledStep, ask: Ask) -> None:
        """The question is put, and its clock begins to run."""
        self.dialog.ask = self.wound_up(step, ask)

    def wound_up(self, step: CompiledStep, ask: Ask) -> Ask:
        """The question with its clock at the beginning, which stands still where nobody hears it."""
        timeout = timeout_of(step)
        if timeout and not self.dialog.blocked:
            return msgspec.structs.replace(ask, timer=self.new_timer(timeout.after), reminded=0)
        return ask

    # --- what a step does ---------------------------------------------------------------------------

    def act(self, step: CompiledStep, ask: Ask | None) -> str | None:
        """Begin the step's work; `ask` is its question, which opens once that is done."""
        match step.action:
            case CompiledCall() as call:
                return self._call(step, call, ask)
            case CompiledHandoff() as handoff:
                return self._hand_off(step, handoff, ask)
            case CompiledWait(seconds):
                timer = self.new_timer(seconds)
                self.dialog.pending = Pending("wait", timer.number, step.id, timer, ask)
            case CompiledLlm() as llm:
                number = self.new_task("llm", self._llm_request(llm), llm.timeout)
                self.dialog.pending = Pending("llm", number, step.id, ask=ask)
            case CompiledHttp() as http:
                request = http.request.show(self.value_of, self.languages(), self.notes)
                number = self.new_task("http", request, http.timeout)
                self.dialog.pending = Pending("http", number, step.id, ask=ask)
            case _:
                number = self.new_task("sync", self._told("running"), SYNC_TIMEOUT)
                self.dialog.pending = Pending("sync", number, step.id, ask=ask)
        return None

    def _llm_request(self, llm: CompiledLlm) -> dict[str, Any]:
        """All that a model is told; what is sensitive is masked before it leaves."""

        request = {"prompt": self.masked(llm.prompt), "output": llm.output, **llm.settings}
        if llm.system:
            request["system"] = self.masked(llm.system)
        if llm.is_only_routing:
            request["only_route"] = True
        return request | ({"options": list(llm.options)} if llm.options else {})

    def _hand_off(self, step: CompiledStep, handoff: CompiledHandoff, ask: Ask | None) -> str | None:
        self.stop_suspended()
        timer = self.new_timer(handoff.timeout) if handoff.timeout else None
        reason = self.plain(handoff.reason) if handoff.reason else ""
        self.dialog.handoff = Handoff(reason=reason, step_id=step.id, timer=timer, ask=ask)
        return None

    def after_action(self, step: CompiledStep, ask: Ask | None, route: str | None = None) -> str | None:
        """The step's work is done: open its question, or go on."""
        if ask is None or self._is_answered(step):
            return self.next_after(step, route=route)
        self.open(step, msgspec.structs.replace(ask, route=route))
        if isinstance(step.action, CompiledHandoff):
            self.show_again()
        elif not step.messages:
            self._show_late(step, ask)
        return None

    def _show_late(self, step: CompiledStep, ask: Ask) -> None:
        """A question without words of its own: what the work has just said is its words."""
        buttons = self.buttons(step, ask)
        if self.messages and buttons and not self.messages[-1].buttons:
            self.messages[-1] = msgspec.structs.replace(self.messages[-1], buttons=buttons)
        elif buttons:
            self.say_words("choose_button", buttons)

    def step_of(self, ask: Ask) -> CompiledStep | None:
        """The step that asks; where it is gone, the run is broken off."""
        step = self.scenario.steps.get(ask.step_id)
        if step is None or step.input is None:
            self.break_off("the dialog waits for an answer to a step that is gone")
            return None
        return step

    # --- calls --------------------------------------------------------------------------------------

    def _call(self, step: CompiledStep, call: CompiledCall, ask: Ask | None) -> str | None:
        """Go into another scenario, which knows only its inputs."""
        child, calls = self.called.get(call.scenario_id), self.dialog.calls
        if child is None or len(calls) >= MAX_CALL_DEPTH:
            self.break_off(f"the scenario {call.scenario_id} that step “{step.id}” calls cannot be entered")
            return None
        inputs = self._inputs(call, child)
        frame = Call(call.scenario_id, step.id, dict(child.initial), ask, self.dialog.trail)
        self.dialog.calls = (*calls, frame)
        self.dialog.trail = ()
        self.scenario = child
        for name, value in inputs.items():
            self.put(name, value)
        return child.start

    def _inputs(self, call: CompiledCall, child: CompiledScenario) -> dict[str, Any]:
        values = {name: self.evaluate(expression) for name, expression in call.inputs}
        known = child.environment.variables
        unknown = [name for name in values if name not in known]
        self.notes.extend(f"the called scenario has no variable “{name}”" for name in unknown)
        return {name: value for name, value in values.items() if value is not None and name in known}

    def _return(self) -> str | None:
        """Come back from a called scenario with its outputs; where the caller's step leads."""
        call, child = self.dialog.calls[-1], self.scenario
        caller = self._calling_step(self.dialog.calls[:-1], call.step_id)
        outputs = self._outputs(caller.action, child) if caller else {}
        self.dialog.calls = self.dialog.calls[:-1]
        self.dialog.trail = call.trail
        self.rescope()
        if caller is None:
            self.break_off("the step that called this scenario is gone")
            return None
        self.dialog.current_step = caller.id
        for name, value in outputs.items():
            self.put(name, value)
        return self.after_action(caller, call.ask)

    def _calling_step(self, calls: tuple[Call, ...], step_id: str) -> CompiledStep | None:
        scenario = self.called.get(calls[-1].scenario_id) if calls else self.own
        return scenario.steps.get(step_id) if scenario else None

    def _outputs(self, action: CompiledAction | None, child: CompiledScenario) -> dict[str, Any]:
        found = {}
        for name, source in action.outputs if isinstance(action, CompiledCall) else ():
            try:
                value = self.evaluate(child.environment.compile(source))
            except ExpressionError as error:
                self.notes.append(f"{source}: {error.message}")
                continue
            if value is not None:
                found[name] = value
        return found

    # --- where it leads -----------------------------------------------------------------------------

    def next_after(
        self, step: CompiledStep, pressed: Choice | None = None, route: str | None = None
    ) -> str | None:
        """Where a step leads, in the language's order; None where it leads nowhere."""
        self.assign(step.set)
        if step.end:
            self.went(step.id, "end")
            self._end()
            return None
        if pressed and pressed.next_step:
            self.went(step.id, f"buttons/{value_key(pressed.value)}")
            return pressed.next_step
        if route:
            return route
        decided, target = self._first_decided(step)
        if decided:
            return target
        if step.next_step:
            self.went(step.id, "next_step")
            return step.next_step
        return self._scenario_level(step.id)

    def _end(self) -> None:
        """`end` ends the run; in a called scenario, the call."""
        if not self.dialog.calls:
            self._close("completed")

    def _first_decided(self, step: CompiledStep) -> tuple[bool, str | None]:
        for index, condition in enumerate(step.conditions):
            if self.is_true(condition.if_):
                self.went(step.id, f"conditions/{index}/then")
                return True, condition.then
            if condition.has_else:
                self.went(step.id, f"conditions/{index}/else")
                return True, condition.else_
        return False, None

    def _scenario_level(self, step_id: str) -> str | None:
        """The first scenario-level condition that is decided and leads somewhere.

        One without `after` leads somewhere at most once in a run, or every end would lead back. They are
        not asked within a called scenario or a command that returns.
        """
        if self.dialog.calls or self.dialog.detour:
            return None
        for index, condition in enumerate(self.own.conditions):
            if condition.after not in (None, step_id) or index in self.dialog.used_conditions:
                continue
            branch, target = self._branch(condition)
            if target is not None:
                if condition.after is None:
                    self.dialog.used_conditions = (*self.dialog.used_conditions, index)
                self.went(step_id, f"scenario/conditions/{index}/{branch}")
                return target
        return None

    def _branch(self, condition: CompiledCondition) -> tuple[str, str | None]:
        """Which branch is taken and where it leads; nowhere unless every name in it has a value."""
        decided = None
        if condition.if_ is not None and self.has_values(condition.if_):
            decided = self.decide(condition.if_)
        if decided is None:
            return "", None
        return ("then", condition.then) if decided else ("else", condition.else_)

    def _end_of_way(self) -> str | None:
        """No step is left: back to the caller, to what a command interrupted, or the run is over."""
        if self.dialog.calls:
            return self._return()
        if self.dialog.detour:
            return self.resume()
        self._close("completed")
        return None

    # --- detours ------------------------------------------------------------------------------------

    def stop_suspended(self) -> None:
        """The clock of the question that a command has interrupted stands still."""
        if detour := self.dialog.detour:
            self.dialog.detour = msgspec.structs.replace(detour, ask=stopped(detour.ask))

    def resume(self) -> str | None:
        """The end of a command: show the open question again, or begin the interrupted work again."""
        detour, dialog = self.dialog.detour, self.dialog
        if detour is None:
            return None
        dialog.detour = None
        dialog.calls, dialog.trail = detour.calls, detour.trail
        self.rescope()
        if detour.enter is not None:
            return detour.enter
        if detour.step_id is not None:
            return self.redo(detour.step_id, detour.ask)
        dialog.ask = detour.ask
        self.show_again()
        return None

    def redo(self, step_id: str, ask: Ask | None) -> str | None:
        """Begin the work of a step again, without saying again what it says."""
        step = self.scenario.steps.get(step_id)
        if step is None:
            self.break_off("the work that was interrupted belongs to a step that is gone")
            return None
        self.dialog.current_step = step.id
        is_answered = step.input is not None and ask is None
        if step.action is None or is_answered:  # it was being understood: what is missing is asked
            return self.next_after(step)
        return self.act(step, ask)

    def show_again(self) -> None:
        """The open question once more, as the same ask."""
        ask = self.dialog.ask
        step = self.step_of(ask) if ask else None
        if ask and step:
            self.dialog.current_step = step.id
            ask = self.dialog.ask = self.relabelled(step, ask)
            self.say_step(step, self.buttons(step, ask))


def has_open_run(dialog: Dialog) -> bool:
    """Whether the dialog is in the middle of a run, and so bound to the revision that began it."""
    status = dialog.blocked or dialog.status
    is_over = dialog.handoff.is_over if dialog.handoff else status == "completed"
    return dialog.run > 0 and not is_over


def stopped(ask: Ask | None) -> Ask | None:
    return msgspec.structs.replace(ask, timer=None) if ask else None


def timeout_of(step: CompiledStep) -> CompiledTimeout | None:
    return step.input.timeout if step.input else None
