"""Compiled kernels of what TensorFlow's own loops are slow at, on processors.

`seqtag.ops` asks here whether a kernel can do what is wanted, and else does it with `keras.ops`, to the same numbers
but for rounding. `SEQTAG_NATIVE=0` keeps the kernels away, `SEQTAG_NATIVE=require` fails without them.
"""
