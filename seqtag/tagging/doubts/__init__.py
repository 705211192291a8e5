"""Likely label errors: gold tags that a model which was not trained on them thinks wrong."""
