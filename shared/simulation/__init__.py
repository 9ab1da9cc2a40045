"""Scenarios tried out: the engine in memory, a scenario's own tests, and what they covered.

Nothing here sends, stores, or knows a clock, so the same acts always give the same conversation.
"""
