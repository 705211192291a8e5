"""Scores forecasts, and compares them with the baselines."""
