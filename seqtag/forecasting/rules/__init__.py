"""The rules that a forecaster is held against, as functions on tensors: naive, seasonal naive, drift, mean, Theta."""
