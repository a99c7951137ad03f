"""fal's own queue."""
