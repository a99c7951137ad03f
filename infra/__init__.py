"""The AWS stack; lambdas/, from which it reads the settings and the catalogue, is put on Python's path here."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "lambdas"))
