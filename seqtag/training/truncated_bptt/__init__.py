"""Truncated backpropagation through time, for sequences of any length."""
