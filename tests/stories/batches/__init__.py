"""Stories of callers with many requests at once."""
