"""The AWS stack. It reads the settings and the catalogue from lambdas/, which this puts on Python's path."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "lambdas"))
