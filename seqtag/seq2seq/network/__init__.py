"""The network of a sequence-to-sequence model."""
