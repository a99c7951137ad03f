"""The AWS stack. This file puts lambdas/ on the path: the stack reads the settings and the catalogue there."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "lambdas"))
