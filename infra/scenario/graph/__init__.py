"""A picture of a scenario: its steps, why which follows which, and what is to be mended."""

from __future__ import annotations

from infra.scenario.graph.mermaid import mermaid
from infra.scenario.graph.svg import svg

__all__ = ["mermaid", "svg"]
