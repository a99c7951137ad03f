"""What every stand-in server is made of: it listens on loopback, answers, and remembers what it was asked."""
