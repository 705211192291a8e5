"""The network of a classifier."""
