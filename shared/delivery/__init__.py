"""Bringing a turn's messages to a messenger, at least once and in order, and recording what came of it."""
