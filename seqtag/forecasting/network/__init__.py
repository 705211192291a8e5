"""The Keras model of a forecaster."""
