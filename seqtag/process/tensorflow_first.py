"""Imports TensorFlow quietly; imported first by the modules from which users import what needs TensorFlow."""

from __future__ import annotations

from seqtag.process.quiet_tensorflow import import_tensorflow

import_tensorflow()
