"""Stand-ins for the providers: real HTTP servers on loopback, with results rendered by procedure."""
