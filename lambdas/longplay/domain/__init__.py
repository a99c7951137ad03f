"""The rules that need no AWS, HTTP or clock: jobs, requests, the catalogue, settings, pacing."""
