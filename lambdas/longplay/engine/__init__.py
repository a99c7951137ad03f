"""One step of a job, from admission to its end."""
