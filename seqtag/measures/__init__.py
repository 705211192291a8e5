"""How good answers are: what several tasks score by. Knows no task, and needs no TensorFlow."""
