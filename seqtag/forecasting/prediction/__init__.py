"""What a fitted forecaster answers: forecasts, sample paths, anomaly scores and effects of covariates."""
