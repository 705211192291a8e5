"""The network of a language model, as Keras sees it."""
