"""Instruments that show what gradients do on their way back through time.

`bptt` is the reference in plain NumPy; importing it needs neither TensorFlow nor Keras.
"""

from __future__ import annotations

__all__ = ["bptt"]
