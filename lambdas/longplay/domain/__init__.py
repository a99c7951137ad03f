"""What holds without AWS, HTTP or a clock: jobs, requests, the catalogue, settings, pacing."""
