import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str], None]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say_nothing(_line: str) -> None:
    """For tests, which show what failed and not what went well."""


@contextmanager
def step(tell: Say, what: str) -> Iterator[None]:
    """Say what is being done before it is done, and how long it took where one noticed."""
    began = time.monotonic()
    tell(f"==> {what}")
    yield
    took = time.monotonic() - began
    if took >= 1:
        tell(f"    {took:.1f} s")
