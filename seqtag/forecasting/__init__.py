"""Forecasting: the next values of many time series, as quantiles."""
