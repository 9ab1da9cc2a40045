"""Bots of an account."""
