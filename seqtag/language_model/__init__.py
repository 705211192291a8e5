"""Language models: the next symbol of a text, from all symbols before it."""
