"""Finds known-future covariates that hold the target itself."""
