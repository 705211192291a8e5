"""Forecasts that follow from a state, which all steps of a series have made."""
