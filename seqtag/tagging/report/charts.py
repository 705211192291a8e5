"""Charts as inline SVG: lines over epochs, and reliability diagrams. Their colours are those of the page's style."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from seqtag.measures.reliability import BINS, Bin
from seqtag.tagging.report.markup import Markup, element, joined, shortened

WIDTH, HEIGHT = 420, 250
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 24, 38
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


def line_chart(title: str, lines: Sequence[Line], marked: float | None = None, log: bool = False) -> Markup:
    """Lines over epochs.

    Args:
        title: of the chart.
        lines: what is drawn; points that are not finite are left out, and on a logarithmic axis those that are not
            above 0.
        marked: an epoch that gets a mark.
        log: whether the axis of the values is logarithmic.
    """
    drawable = [line for line in (_drawable(line, log) for line in lines) if line.points]
    if not drawable:
        return Markup("")
    across, values = zip(*(point for line in drawable for point in line.points), strict=True)
    x, y = _epochs(across), _logarithmic(values) if log else _linear(values)
    mark = [] if marked is None else [_rule(x.place(marked), f"best epoch: {marked:g}")]
    drawn = [_line(line, n % COLOURS, x, y) for n, line in enumerate(drawable)]
    return _figure(title, [*_frame(x, y, "epoch"), *mark, *drawn], drawable if len(drawable) > 1 else [])


def _drawable(line: Line, log: bool) -> Line:
    return Line(line.name, [(a, b) for a, b in line.points if math.isfinite(b) and (b > 0 or not log)])


def _epochs(values: Sequence[float]) -> _Axis:
    first, last = min(values), max(max(values), min(values) + 1)
    step = max(1, round(_step(last - first)))
    ticks = [n for n in range(math.ceil(first), math.floor(last) + 1) if n % step == 0]
    return _Axis(_scale(first, last, LEFT, WIDTH - RIGHT), ticks)


def _linear(values: Sequence[float]) -> _Axis:
    """Its ticks are round values, the first at or below all values and the last at or above them.

    >>> _linear([0.31, 0.78]).ticks
    [0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    """
    least, most = min(values), max(values)
    step = _step((most - least) or abs(most) or 1.0)
    first, last = math.floor(least / step + 1e-9), math.ceil(most / step - 1e-9)
    ticks = [round(n * step, 12) for n in range(first, max(last, first + 1) + 1)]
    return _Axis(_scale(ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP), ticks)


def _logarithmic(values: Sequence[float]) -> _Axis:
    first = math.floor(math.log10(min(values)))
    last = max(first + 1, math.ceil(math.log10(max(values))))
    place = _scale(first, last, HEIGHT - BOTTOM, TOP)
    ticks = [10.0**n for n in range(first, last + 1, max(1, (last - first) // TICKS))]
    return _Axis(lambda value: place(math.log10(value)), ticks)


def _step(width: float) -> float:
    """A round distance of ticks: 1, 2 or 5 times a power of ten."""
    size = 10.0 ** math.floor(math.log10(width / TICKS))
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor >= width / TICKS * 0.999)


def _scale(first: float, last: float, begin: float, end: float) -> Callable[[float], float]:
    return lambda value: round(begin + (value - first) / (last - first) * (end - begin), 1)


def reliability_chart(title: str, after: Sequence[Bin], before: Sequence[Bin] | None) -> Markup:
    """How often answers are right, by their probability; the nearer to the diagonal, the truer.

    Args:
        title: of the chart.
        after: the bins of the probabilities that the model gives.
        before: those of temperature 1, where it is another one.
    """
    ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    x, y = _Axis(_scale(0, 1, LEFT, WIDTH - RIGHT), ticks), _Axis(_scale(0, 1, HEIGHT - BOTTOM, TOP), ticks)
    most = max((found.answers for found in after), default=1)
    # As heights, counts of 10 and of 100,000 would not be seen together.
    tall = _scale(0, math.log10(most + 1) * 2.5, 0, HEIGHT - BOTTOM - TOP)
    bars = [_bar(found, x, tall(math.log10(found.answers + 1))) for found in after]
    diagonal = element("line", class_="diagonal", x1=x.place(0), y1=y.place(0), x2=x.place(1), y2=y.place(1))
    lines = [Line("with the temperature" if before else "as the model gives them", _points(after))]
    lines += [Line("without", _points(before))] if before else []
    told = [after, *([before] if before else [])]
    drawn = [_line(line, n, x, y, [_of_bin(b) for b in told[n]]) for n, line in enumerate(lines)]
    return _figure(title, [*_frame(x, y, "probability", "share that is right"), *bars, diagonal, *drawn], lines)


def _points(bins: Sequence[Bin]) -> list[tuple[float, float]]:
    return [(found.probability, found.right) for found in bins]


def _of_bin(found: Bin) -> str:
    return f"probability {found.probability:.3f}, right {found.right:.3f}, {found.answers:,} answers"


def _bar(found: Bin, x: _Axis, height: float) -> Markup:
    number = min(int(found.probability * BINS), BINS - 1)
    left, right = x.place(number / BINS) + 3, x.place((number + 1) / BINS) - 3
    title = element("title", f"{found.answers:,} answers (logarithmic height)")
    top = round(HEIGHT - BOTTOM - height, 1)
    return element("rect", title, class_="bar", x=left, y=top, width=round(right - left, 1), height=height)


def _frame(x: _Axis, y: _Axis, across: str, down: str = "") -> list[Markup]:
    """Grid, ticks and the names of the axes."""
    floor = HEIGHT - BOTTOM
    heights = [{"y1": y.place(tick), "y2": y.place(tick)} for tick in y.ticks]
    grid = [element("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, **height) for height in heights]
    values = [element("text", f"{tick:g}", class_="end", x=LEFT - 6, y=y.place(tick) + 4) for tick in y.ticks]
    steps = [element("text", f"{tick:g}", class_="middle", x=x.place(tick), y=floor + 16) for tick in x.ticks]
    names = [
        element("text", across, class_="axis end", x=WIDTH - RIGHT, y=HEIGHT - 6),
        element("text", down, class_="axis", x=4, y=12),
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
