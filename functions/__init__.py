"""One folder per Lambda; its `handler.py` is its one door."""
