"""Scenarios of a bot, their revisions, and which one runs."""
