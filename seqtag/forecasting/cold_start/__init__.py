"""Forecasts of series with no value or a few: from the pool of the training series."""
