"""fal, through its queue API."""
