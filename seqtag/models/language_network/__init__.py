"""The network of a language model, for the task itself and for those that read its states."""
