"""Tagging: a label for each token of a sentence, such as named entities and parts of speech."""
