"""What Longplay claims, measured: each module prints one table and what to make of it."""
