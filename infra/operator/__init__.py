"""The parts of the operator's commands that are larger than a function."""
