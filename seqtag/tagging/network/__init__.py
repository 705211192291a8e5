"""The Keras model of a tagger."""
