"""Benchmarks of the claims of Longplay: each module prints one table and explains it."""
