"""The HTTP API and the answers of API Gateway itself."""
