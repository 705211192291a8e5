"""The data of sequence-to-sequence models: pairs of a source and a target."""
