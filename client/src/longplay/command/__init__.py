"""The command `longplay`."""
