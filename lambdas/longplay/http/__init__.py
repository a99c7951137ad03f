"""The HTTP API: requests, responses, use cases and JSON documents."""
