"""Scenarios on an author's own machine: tested, talked to, drawn, checked, replayed."""
