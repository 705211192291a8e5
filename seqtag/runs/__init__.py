"""Run directories and their bundles: written, read and resumed for whatever task."""
