"""The round of checkups and its report."""
