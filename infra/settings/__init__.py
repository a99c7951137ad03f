"""The operator's settings at synthesis."""
