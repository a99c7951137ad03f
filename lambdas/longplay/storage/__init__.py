"""Storage at AWS: the table, the queues, the files, the tokens."""
