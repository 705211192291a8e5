"""Writes, reads and resumes run directories and their bundles, for any task."""
