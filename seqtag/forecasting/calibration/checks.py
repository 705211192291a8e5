"""Checks of the held-out windows that corrections are fitted on."""

from __future__ import annotations

import numpy as np


def checked_target(target: np.ndarray) -> np.ndarray:
    """Targets `(windows, horizon)` as floats, NaN where missing.

    Raises:
        ValueError: another shape, no step, an infinite target.
    """
    target = np.asarray(target, float)
    if target.ndim != 2 or not target.shape[1]:
        raise ValueError(f"expected target (windows, horizon), found shape {target.shape}")
    if np.isinf(target).any():
        raise ValueError("expected finite or missing targets, found an infinite one")
    return target


def checked_forecast(name: str, forecast: np.ndarray, target: np.ndarray, *last: int) -> np.ndarray:
    """Forecasts of the targets as floats; `last` are axes behind those of the target.

    Raises:
        ValueError: another shape, or a forecast that is not finite where the target is observed.
    """
    forecast = np.asarray(forecast, float)
    if forecast.shape != (*target.shape, *last):
        raise ValueError(f"expected {name} of shape {(*target.shape, *last)}, found {forecast.shape}")
    if not np.isfinite(forecast[~np.isnan(target)]).all():
        raise ValueError(f"expected finite {name} wherever the target is observed")
    return forecast


def spread_of_steps(spread: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The spread of each window and step, from one a window or one a step.

    Args:
        spread: how large errors are, ``(windows,)`` or ``(windows, steps)``.
        shape: windows and steps.

    Raises:
        ValueError: another shape, a spread that is negative or not finite.

    Example:
        >>> spread_of_steps(np.array([2.0, 3.0]), (2, 2)).tolist()
        [[2.0, 2.0], [3.0, 3.0]]
    """
    spread = np.asarray(spread, float)
    if spread.shape not in (shape[:1], shape):
        raise ValueError(f"expected spread of shape {shape[:1]} or {shape}, found {spread.shape}")
    wrong = spread[~(np.isfinite(spread) & (spread >= 0))]
    if wrong.size:
        raise ValueError(f"expected spreads that are finite and not negative, found {wrong[0]}")
    return np.broadcast_to(spread[:, None] if spread.ndim == 1 else spread, shape)
