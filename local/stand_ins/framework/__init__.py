"""The parts that every stand-in server shares: one listener, one fault framework, and a memory of its requests."""
