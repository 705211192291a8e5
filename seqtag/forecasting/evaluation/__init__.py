"""Scores of forecasts beside those of naive rules."""
