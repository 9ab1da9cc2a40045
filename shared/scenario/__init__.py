"""The scenario language: reading a document, compiling it, checking it. Pure; see README.md here.

`document` is the schema an author writes to, `linter` finds what the schema cannot, `compiler` turns
a document into what the engine interprets, and `expressions`, `texts`, `inputs` are its parts.
"""
