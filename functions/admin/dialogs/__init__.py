"""Dialogs and their history, for reading."""
