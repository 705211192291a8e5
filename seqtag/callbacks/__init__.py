"""Callbacks for any `keras.Model.fit`: they measure, clip and guard the gradients, and make weights sparse."""

from seqtag.callbacks.alarms import Alarm, GradientWarning
from seqtag.callbacks.clipping import GradientClipping
from seqtag.callbacks.exploding_gradients import ExplodingGradients
from seqtag.callbacks.gradient_flow_logger import GradientFlowLogger
from seqtag.callbacks.gradient_monitor import GradientMonitor
from seqtag.callbacks.proximal_l1 import ProximalL1
from seqtag.callbacks.vanishing_gradients import VanishingGradients

__all__ = [
    "Alarm",
    "ExplodingGradients",
    "GradientClipping",
    "GradientFlowLogger",
    "GradientMonitor",
    "GradientWarning",
    "ProximalL1",
    "VanishingGradients",
]
