"""Truncated backpropagation through time: fits recurrent models on sequences of any length."""
