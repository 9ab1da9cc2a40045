"""What may go wrong with an expression: when it is compiled, and when it is evaluated."""

from __future__ import annotations


class Undecided(Exception):
    """The expression has no value now. `reason` is empty when only a variable's value is missing."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class ExpressionError(Exception):
    """It does not parse or type-check.

    `column` counts characters from 1; `undeclared` is the name that nothing sets or declares, or "".
    """

    def __init__(self, message: str, column: int = 1, undeclared: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.undeclared = undeclared
