"""What has to be right before a bot follows a revision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from functions.admin.scenarios.calling import Called, called_by
from functions.admin.scenarios.checking import Findings, findings_of_form, findings_of_meaning, violation_of
from functions.admin.scenarios.surroundings import library_of
from functions.admin.scenarios.trial import Trials, failures_in
from shared.admin_api.problems import Problem, ProblemError
from shared.errors import Invalid, Violation
from shared.storage.bots import Bot
from shared.storage.scenarios import DynamoScenarios, Revision


def require_runnable(
    chosen: Revision, bot: Bot, scenarios: DynamoScenarios, trials: Trials
) -> tuple[Called, Findings]:
    """What the revision calls, to be locked with it, and its warnings.

    Raises a 422 that lists every error of the linter, with all findings, and every test that fails.
    """
    document = chosen.document
    if wrong := findings_of_form(document):
        raise _refusal(wrong, [])
    called = called_by(document, bot, scenarios)
    findings = findings_of_meaning(document, library_of(bot, document, called, chosen.scenario_id))
    failures = _failures(document, called, bot, trials)
    if failures or any(finding.severity == "error" for finding in findings):
        raise _refusal(findings, failures)
    return called, findings


def _failures(document: Mapping[str, Any], called: Called, bot: Bot, trials: Trials) -> list[Violation]:
    try:
        return list(failures_in(trials.tested(document, called.documents, bot)))
    except Invalid as error:
        return list(error.violations)


def _refusal(findings: Findings, failures: list[Violation]) -> ProblemError:
    errors = [violation_of(finding) for finding in findings if finding.severity == "error"]
    reasons = {"of its findings are errors": len(errors), "of its tests fail": len(failures)}
    told = " and ".join(f"{count} {words}" for words, count in reasons.items() if count)
    detail = f"The scenario cannot run yet: {told}."
    more = {"findings": msgspec.to_builtins(findings)}
    return ProblemError(Problem("invalid", detail, [*errors, *failures], more=more))
