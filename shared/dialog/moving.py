"""A run under way that goes over to another revision. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from cel_expr_python import cel

from shared.dialog.state import Ask, Dialog
from shared.scenario.compiled import CompiledCondition, CompiledScenario


def may_move(dialog: Dialog, old: CompiledScenario, new: CompiledScenario) -> bool:
    """Whether the run can go on in the new scenario as if it had begun there.

    What the dialog is at, or may come back to, must exist there, and take the same type of answer; what
    its variables hold must be of the same type. In the middle of a called scenario, of work, or in an
    operator's hands it stays: it is asked again at the next event.
    """
    detour = dialog.detour
    is_in_hand = dialog.calls or dialog.pending or dialog.handoff or (detour and detour.calls)
    return not is_in_hand and _steps_exist(dialog, old, new) and _types_are_kept(dialog, old, new)


def moved(dialog: Dialog, old: CompiledScenario, new: CompiledScenario) -> Dialog:
    """The dialog as the new scenario takes it up: what only that one declares has its initial value."""
    known = old.environment.variables
    added = {name: value for name, value in new.initial.items() if name not in known}
    successor: Dialog = msgspec.structs.replace(
        dialog,
        variables=added | dialog.variables,
        used_conditions=_used_conditions(dialog, old, new),
    )
    return successor


def _steps_exist(dialog: Dialog, old: CompiledScenario, new: CompiledScenario) -> bool:
    detour = dialog.detour
    asks = [ask for ask in (dialog.ask, detour.ask if detour else None) if ask]
    steps = [dialog.current_step, *dialog.trail]
    if detour:
        steps += [detour.step_id, *detour.trail]
    for ask in asks:
        steps += [ask.step_id, ask.route, *(choice.next_step for choice in ask.choices)]
    return all(step in new.steps for step in steps if step) and all(_is_same(ask, old, new) for ask in asks)


def _is_same(ask: Ask, old: CompiledScenario, new: CompiledScenario) -> bool:
    """Whether the question still takes that type of answer, into that variable."""
    before, after = old.steps.get(ask.step_id), new.steps[ask.step_id]
    if before is None or before.input is None or after.input is None:
        return False
    return (before.input.type, before.input.variable) == (after.input.type, after.input.variable)


def _types_are_kept(dialog: Dialog, old: CompiledScenario, new: CompiledScenario) -> bool:
    before, after = old.environment.variables, new.environment.variables
    return all(_is_same_type(before.get(name), after.get(name)) for name in _held(dialog))


def _held(dialog: Dialog) -> Iterable[str]:
    return dialog.variables.keys() | dialog.kept.keys()


def _is_same_type(before: cel.Type | None, after: cel.Type | None) -> bool:
    """None is that of a variable which the scenario does not know; types compare with types only."""
    if before is None or after is None:
        return before is after
    return bool(before == after)


def _used_conditions(dialog: Dialog, old: CompiledScenario, new: CompiledScenario) -> tuple[int, ...]:
    """The places that the conditions which have led somewhere already have in the new scenario."""
    used = {
        _meaning(old.conditions[place]) for place in dialog.used_conditions if place < len(old.conditions)
    }
    return tuple(place for place, each in enumerate(new.conditions) if _meaning(each) in used)


def _meaning(condition: CompiledCondition) -> tuple[str | None, ...]:
    source = condition.if_.source if condition.if_ else None
    return source, condition.then, condition.else_, condition.after
