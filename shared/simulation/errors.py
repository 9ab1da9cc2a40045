"""What can be wrong with an act of a simulation."""

from __future__ import annotations

from shared.errors import Refused


class Senseless(Refused):
    """The act cannot happen as the dialog stands: there is no such button, no task, no time to pass."""
