"""Properties are about what holds, not how fast: other tests share the cores."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
