"""What a fitted model gives: forecasts, sample paths, anomaly scores and effects of covariates."""
