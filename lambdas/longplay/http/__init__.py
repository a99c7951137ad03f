"""What callers see: the edges of the HTTP API, its use cases, and the documents it answers with."""
