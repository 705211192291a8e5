"""From files and Python objects to what the networks read."""
