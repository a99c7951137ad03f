"""The HTTP API and what API Gateway itself answers."""
