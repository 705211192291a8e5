"""Callbacks for any `keras.Model.fit`: what the gradients do, and bounds for it."""
