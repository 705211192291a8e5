"""A page to look at: scores, confusion, calibration, the training, and sentences with their gold and predicted tags."""
