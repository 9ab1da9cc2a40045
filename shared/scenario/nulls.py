"""A safeguard for Python 3.11: the expression library gives back a reference to None that it never took.

It does so for every null in a result, and after some thousands of them Python aborts for want of None. From
3.12 on None cannot run out (PEP 683); here it is given more references than any process will use up.
"""

from __future__ import annotations

import sys

REFERENCES = 1 << 40


def make_none_last() -> None:
    """Importing this module does it, once."""
    import ctypes  # noqa: PLC0415 (later Pythons need none of it)

    ctypes.c_ssize_t.from_address(id(None)).value += REFERENCES


if sys.version_info < (3, 12):
    make_none_last()
