"""`functions/__init__.py` of the zip that the emulator unpacks for each process: the way to the code.

The artifact itself lies unpacked in a folder, once for all.
"""

import importlib
import os
import sys
from pathlib import Path

build = Path(__file__).with_name("build").read_text()
sys.path.insert(0, str(Path(os.environ["PARLEY_BUILDS"]) / build / "code"))
del sys.modules["functions"]  # this module, whose place the real one takes
importlib.import_module("functions")
