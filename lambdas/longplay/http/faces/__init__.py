"""Other people's contracts before our jobs, so that clients that exist work unchanged (docs/other-clients.md)."""
