"""One folder per Lambda; its `handler.py` is its one door."""

import gc

# An import makes no garbage, and looking for it a hundred times is a tenth of a cold start.
gc.set_threshold(200_000)
