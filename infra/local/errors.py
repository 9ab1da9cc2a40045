from pathlib import Path

LAST_LINES = 15


class StartError(Exception):
    """Why Parley cannot run, in one sentence for the person who started it."""

    def __init__(self, sentence: str, log: Path | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.log = log

    def __str__(self) -> str:
        if self.log is None:
            return self.sentence
        return f"{last_lines(self.log)}\n{self.sentence} The whole log: {self.log}"


def last_lines(log: Path, count: int = LAST_LINES) -> str:
    lines = log.read_text(errors="replace").rstrip().splitlines() if log.exists() else []
    return "\n".join(f"  | {line}" for line in lines[-count:])
