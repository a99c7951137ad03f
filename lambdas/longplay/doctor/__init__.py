"""The doctor: checks every route without a generation, and stores a report."""
