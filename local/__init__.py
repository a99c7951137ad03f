"""Longplay on one machine: the AWS emulator, a real deployment to it, and a stand-in for each provider."""
