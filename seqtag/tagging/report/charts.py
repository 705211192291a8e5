"""Charts as inline SVG: lines over epochs, and reliability diagrams. Their colours are those of the page's style."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from seqtag.tagging.evaluation.reliability import BINS, Bin
from seqtag.tagging.report.markup import Markup, element, joined, shortened

WIDTH, HEIGHT = 420, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 38
TICKS = 5
# How many colours the style has for lines.
COLOURS = 8


class Line(NamedTuple):
    """A line of a chart: what it is called, and its points."""

    name: str
    points: Sequence[tuple[float, float]]


class _Axis(NamedTuple):
    """From a value to its place, with the values that get a tick."""

    place: Callable[[float], float]
    ticks: Sequence[float]


def line_chart(title: str, lines: Sequence[Line], down: str, marked: float | None = None, log: bool = False) -> Markup:
    """Lines over epochs.

    Args:
        title: of the chart.
        lines: what is drawn; points that are not finite are left out, and on a logarithmic axis those that are not
            above 0.
        down: what the values are.
        marked: an epoch that gets a mark.
        log: whether the axis of the values is logarithmic.
    """
    lines = [Line(line.name, [p for p in line.points if math.isfinite(p[1]) and (p[1] > 0 or not log)]) for line in lines]
    lines = [line for line in lines if line.points]
    if not lines:
        return Markup("")
    x, y = _axes([point for line in lines for point in line.points], log)
    mark = [] if marked is None else [_rule(x.place(marked), f"best epoch: {marked:g}")]
    drawn = [_line(line, n % COLOURS, x, y) for n, line in enumerate(lines)]
    return _figure(title, [*_frame(x, y, "epoch", down), *mark, *drawn], lines if len(lines) > 1 else [])


def _axes(points: Sequence[tuple[float, float]], log: bool) -> tuple[_Axis, _Axis]:
    across, values = zip(*points, strict=True)
    epochs = _linear_ticks(min(across), max(max(across), min(across) + 1), whole=True)
    x = _Axis(_scale(min(across), max(max(across), min(across) + 1), LEFT, WIDTH - RIGHT), epochs)
    if not log:
        ticks = _linear_ticks(min(values), max(values))
        return x, _Axis(_scale(ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP), ticks)
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    place = _scale(first, max(last, first + 1), HEIGHT - BOTTOM, TOP)
    step = max(1, (last - first) // TICKS)
    return x, _Axis(lambda value: place(math.log10(value)), [10.0**n for n in range(first, max(last, first + 1) + 1, step)])


def _scale(first: float, last: float, begin: float, end: float) -> Callable[[float], float]:
    return lambda value: round(begin + (value - first) / (last - first) * (end - begin), 1)


def _linear_ticks(least: float, most: float, whole: bool = False) -> list[float]:
    """Round values, the first at or below `least` and the last at or above `most`; whole ones stay between.

    >>> _linear_ticks(0.31, 0.78)
    [0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    >>> _linear_ticks(1, 12, whole=True)
    [2, 4, 6, 8, 10, 12]
    """
    width = (most - least) or abs(most) or 1.0
    rough = width / TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    if whole:
        each = max(1, round(step))
        return [n for n in range(math.ceil(least), math.floor(most) + 1) if n % each == 0 or each == 1]
    first, last = math.floor(least / step + 1e-9), math.ceil(most / step - 1e-9)
    return [round(n * step, 12) for n in range(first, max(last, first + 1) + 1)]


def reliability_chart(title: str, after: Sequence[Bin], before: Sequence[Bin] | None) -> Markup:
    """How often answers are right, by their probability; the nearer to the diagonal, the truer.

    Args:
        title: of the chart.
        after: the bins of the probabilities that the model gives.
        before: those of temperature 1, where it is another one.
    """
    ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    x, y = _Axis(_scale(0, 1, LEFT, WIDTH - RIGHT), ticks), _Axis(_scale(0, 1, HEIGHT - BOTTOM, TOP), ticks)
    most = max((found.count for found in after), default=1)
    # As heights, counts of 10 and of 100,000 would not be seen together.
    tall = _scale(0, math.log10(most + 1) * 2.5, 0, HEIGHT - BOTTOM - TOP)
    bars = [_bar(found, x, tall(math.log10(found.count + 1))) for found in after]
    diagonal = element("line", class_="diagonal", x1=x.place(0), y1=y.place(0), x2=x.place(1), y2=y.place(1))
    lines = [Line("with the temperature" if before else "as the model gives them", _points(after))]
    lines += [Line("without", _points(before))] if before else []
    told = [after, *([before] if before else [])]
    drawn = [_line(line, n, x, y, [_of_bin(b) for b in told[n]]) for n, line in enumerate(lines)]
    return _figure(title, [*_frame(x, y, "probability", "right"), *bars, diagonal, *drawn], lines)


def _points(bins: Sequence[Bin]) -> list[tuple[float, float]]:
    return [(found.probability, found.right) for found in bins]


def _of_bin(found: Bin) -> str:
    return f"probability {found.probability:.3f}, right {found.right:.3f}, {found.count:,} answers"


def _bar(found: Bin, x: _Axis, height: float) -> Markup:
    number = min(int(found.probability * BINS), BINS - 1)
    left, right = x.place(number / BINS) + 3, x.place((number + 1) / BINS) - 3
    title = element("title", f"{found.count:,} answers (logarithmic height)")
    top = round(HEIGHT - BOTTOM - height, 1)
    return element("rect", title, class_="bar", x=left, y=top, width=round(right - left, 1), height=height)


def _frame(x: _Axis, y: _Axis, across: str, down: str) -> list[Markup]:
    """Grid, ticks and the names of the axes."""
    floor = HEIGHT - BOTTOM
    grid = [
        element("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y.place(tick), y2=y.place(tick)) for tick in y.ticks
    ]
    values = [element("text", f"{tick:g}", class_="tick end", x=LEFT - 6, y=y.place(tick) + 4) for tick in y.ticks]
    steps = [element("text", f"{tick:g}", class_="tick middle", x=x.place(tick), y=floor + 16) for tick in x.ticks]
    names = [
        element("text", across, class_="axis end", x=WIDTH - RIGHT, y=HEIGHT - 6),
        element("text", down, class_="axis", x=LEFT, y=HEIGHT - 6),
    ]
    return [*grid, *values, *steps, *names]


def _rule(place: float, name: str) -> Markup:
    title = element("title", name)
    return element("line", title, class_="rule", x1=place, x2=place, y1=TOP, y2=HEIGHT - BOTTOM)


def _line(line: Line, colour: int, x: _Axis, y: _Axis, told: Sequence[str] = ()) -> Markup:
    """A line with its points, each of which says its values where the pointer rests on it."""
    places = [(x.place(across), y.place(value)) for across, value in line.points]
    path = element("polyline", class_="line", points=" ".join(f"{a},{b}" for a, b in places))
    names = told or [f"{shortened(line.name)}, epoch {across:g}: {value:.4g}" for across, value in line.points]
    dots = [
        element("circle", element("title", name), class_="dot", cx=a, cy=b, r=3)
        for (a, b), name in zip(places, names, strict=True)
    ]
    return element("g", path, *dots, class_=f"c{colour}")


def _figure(title: str, parts: Sequence[Markup], named: Sequence[Line]) -> Markup:
    svg = element("svg", element("title", title), *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img")
    names = [element("li", shortened(line.name), class_=f"c{n % COLOURS}") for n, line in enumerate(named)]
    legend = element("ul", *names, class_="legend") if names else Markup("")
    return element("figure", element("figcaption", joined(title)), svg, legend)
