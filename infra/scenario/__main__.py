"""Scenarios tried out on this machine; nothing is sent, nothing is stored.

    python -m infra.scenario test FILE...     run the tests inside, tell what they cover
    python -m infra.scenario chat FILE        talk to it
    python -m infra.scenario lint FILE...     what activation would say
    python -m infra.scenario graph FILE       a picture, as Mermaid; --svg OUT writes one to look at
    python -m infra.scenario schema           the JSON Schema of the language, for editors
    python -m infra.scenario replay DIALOG    do a stored dialog again, tell the first difference

Exit code 0: all is well; 1: a test fails, an error is found, a replay differs; 2: it could not be read.
"""

from __future__ import annotations

import argparse
import io
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import msgspec

from infra.scenario import report
from infra.scenario.chat import HELP, PROMPT, Chat
from infra.scenario.documents import Document, called_of, load
from infra.scenario.errors import Unreadable
from infra.scenario.graph import mermaid, svg
from shared.scenario.document import json_schema
from shared.scenario.linter import Finding, Library, lint
from shared.simulation.conversation import Opening, Program
from shared.simulation.errors import Senseless
from shared.simulation.testing import run_tests

PLATFORMS = ("telegram", "whatsapp", "viber", "webchat")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked; the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        return _COMMANDS[asked.command](asked)
    except (Unreadable, Senseless) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2


def _test(asked: argparse.Namespace) -> int:
    called = called_of(asked.called)
    return max(_test_file(path, load(path), called) for path in asked.files)


def _test_file(path: Path, document: Document, called: Mapping[str, Document]) -> int:
    began = perf_counter()
    found = run_tests(document, called)
    took = (perf_counter() - began) * 1000
    passed = sum(result.failure is None for result in found.results)
    _say(f"{path}: {passed} of {len(found.results)} tests passed, {took:.0f} ms")
    for line in report.lines_of(document, found):
        _say(line)
    return 0 if found.has_passed else 1


def _chat(asked: argparse.Namespace) -> int:
    program = Program.of(load(asked.file), called_of(asked.called))
    opening = Opening(
        platform=asked.platform,
        language=asked.language,
        now=asked.now or datetime.now(UTC),
        random=asked.random,
    )
    if sys.stdin.isatty():
        _say(HELP)
    Chat(program.begin(opening), _say).run(_lines())
    return 0


def _lines() -> Iterator[str]:
    """What is typed, or what comes through a pipe, which is then repeated for whoever reads it."""
    if not sys.stdin.isatty():
        for line in sys.stdin:
            _say(PROMPT + line.rstrip("\n"))
            yield line
        return
    import readline  # noqa: F401, PLC0415 (its import makes input() edit lines; only a terminal wants it)

    while True:
        try:
            yield input(PROMPT)
        except (EOFError, KeyboardInterrupt):
            _say("")
            return


def _lint(asked: argparse.Namespace) -> int:
    called = called_of(asked.called)
    has_errors = False
    for path in asked.files:
        findings = _findings(load(path), called)
        has_errors |= any(finding.severity == "error" for finding in findings)
        _say(f"{path}: {len(findings)} findings" if findings else f"{path}: nothing to mend")
        for finding in findings:
            _say(f"  {_in_words(finding)}")
    return 1 if has_errors else 0


def _findings(document: Document, called: Mapping[str, Document]) -> tuple[Finding, ...]:
    """What is called is known only if it was given."""
    return lint(document, Library(scenarios=called) if called else None)


def _in_words(finding: Finding) -> str:
    way = f" (by {' → '.join(finding.path)})" if len(finding.path) > 1 else ""
    return f"{finding.severity} {finding.code} at {finding.pointer or '/'}: {finding.message}{way}"


def _graph(asked: argparse.Namespace) -> int:
    document = load(asked.file)
    findings = _findings(document, called_of(asked.called))
    if asked.svg:
        _write(asked.svg, svg(document, findings))
    if asked.mermaid or not asked.svg:
        _say(mermaid(document, findings))
    return 0


def _write(path: Path, words: str) -> None:
    try:
        path.write_text(words, encoding="utf-8")
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None


def _schema(_asked: argparse.Namespace) -> int:
    _say(msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode())
    return 0


def _replay(asked: argparse.Namespace) -> int:
    from infra.scenario import replaying  # noqa: PLC0415 (boto3 and the tables: no other command needs them)

    difference = replaying.of_stack(asked.dialog, asked.stack, unseal=asked.unseal)
    _say(str(difference or "The replay makes no difference."))
    return 1 if difference else 0


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "test": _test,
    "chat": _chat,
    "lint": _lint,
    "graph": _graph,
    "schema": _schema,
    "replay": _replay,
}


def _say(words: str) -> None:
    """Print it; what would command the terminal is shown instead."""
    print(words.translate(_CONTROLS))  # noqa: T201 (a command's own words)


_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


# --- the command line -------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.scenario",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("test", "lint"):
        _with_called(commands.add_parser(name)).add_argument("files", nargs="+", type=Path, metavar="FILE")
    graph = _with_called(commands.add_parser("graph"))
    graph.add_argument("file", type=Path, metavar="FILE")
    graph.add_argument("--svg", type=Path, metavar="OUT", help="write a picture into this file")
    graph.add_argument("--mermaid", action="store_true", help="print Mermaid (also without any option)")
    _add_chat(_with_called(commands.add_parser("chat")))
    commands.add_parser("schema")
    replay = commands.add_parser("replay")
    replay.add_argument("dialog", metavar="DIALOG", help="the id of a dialog")
    replay.add_argument("--stack", help="the CloudFormation stack it is in; without it, the embedded run")
    replay.add_argument("--unseal", action="store_true", help="decrypt what sensitive variables received")
    return parser


def _with_called(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "--called",
        action="append",
        default=[],
        metavar="ID=FILE",
        help="a scenario that is called by its id; may be given several times",
    )
    return parser


def _add_chat(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--language", default="en", help="what the person's messenger speaks (en)")
    parser.add_argument("--platform", default="telegram", choices=PLATFORMS)
    parser.add_argument(
        "--now", type=_moment, default=None, help="when it takes place, like 2026-12-31T23:59Z"
    )
    parser.add_argument(
        "--random", type=_fraction, default=0.5, help="what “random” is, from 0 up to 1 (0.5)"
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _fraction(text: str) -> float:
    number = float(text)
    if not 0 <= number < 1:
        raise ValueError
    return number


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever reads through a pipe may stop when they like
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(main())
