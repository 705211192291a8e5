"""Sequences of frames of numbers, from files and from Python objects, and the scale that a model reads them in."""
