"""Series for a forecaster: reads what a configuration names, cuts windows, encodes them, and makes batches."""
