"""The bounds of the language, in one place."""

from __future__ import annotations

# Of a document
MAX_DOCUMENT_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_STEPS = 500
MAX_MESSAGES = 20
MAX_BUTTONS = 100
MAX_CONDITIONS = 500
MAX_ASSIGNMENTS = 100
MAX_VARIABLES = 500
MAX_INITIAL_BYTES = 32 * 1024
MAX_COMMANDS = 100
MAX_MEDIA = 10
MAX_RULES = 50
MAX_CHOICES_FOR_EACH = 50
MAX_CHOICES = 1000
"""Of one question, whatever its buttons are made for."""
MAX_CALL_DEPTH = 8
MAX_TESTS = 100
MAX_TEST_TURNS = 500

# Of an expression or a text, in characters
MAX_EXPRESSION = 10_000
MAX_NESTING = 30
MAX_EXPRESSIONS_IN_TEXT = 500
MAX_PRINTED = 64 * 1024
MAX_PATTERN = 1000

# Of a turn and a run
MAX_ANSWER = 16_000
"""Characters of an answer that are kept; no messenger lets a person send more."""
MAX_TURN_STEPS = 100
MAX_TURN_MESSAGES = 20
MAX_TURN_BYTES = 300 * 1024
"""A dialog with what its turn says, as JSON: all of it is saved as one item."""
MAX_TOLD_BYTES = 385 * 1024
"""The same with what the main system is told of the runs that it ends."""
MAX_COLLECTED_BYTES = 64 * 1024
MAX_TASK_SECONDS = 90
"""Of what a step lets a task take: its worker has two minutes for all of it."""
MAX_CONTACT_BYTES = 16 * 1024
"""What is known of the person, as JSON."""
MAX_VALUE_DEPTH = 64
"""Lists and maps within one another, in a variable's value."""
MAX_SILENT_TURNS = 50
"""Turns that timers and tasks bring about without a word from the person."""
MAX_TRAIL = 50
"""Questions that one can go back to."""
