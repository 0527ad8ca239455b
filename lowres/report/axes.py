"""What all charts share: the box they are drawn in, its axes, and round values for the ticks on them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal


@dataclass(frozen=True)
class Size:
    """Width and height of a drawing in its own units, in which tick labels are about 12 high."""

    width: int
    height: int


LARGE: Final = Size(400, 236)
SMALL: Final = Size(300, 190)
_LEFT: Final = 10
_RIGHT: Final = 14
_BOTTOM: Final = 38
_TOP: Final = 12
_TICK_CHARACTER: Final = 6.6
"""Width of a figure in the drawing's units, for the room that labels take."""

Scale = Literal["linear", "logarithmic"]
Print = Callable[[float], str]


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place in the drawing and what stands beside it."""

    at: float
    label: str


@dataclass(frozen=True)
class Axis:
    """Maps values from `low` to `high` onto places from `start` to `end`; what lies beyond is put on the border."""

    low: float
    high: float
    start: float
    end: float
    scale: Scale = "linear"

    def place(self, value: float) -> float:
        """Return where a value lies in the drawing."""
        low, high = _scaled(self.low, self.scale), _scaled(self.high, self.scale)
        share = (_scaled(value, self.scale) - low) / (high - low)
        return round(self.start + (self.end - self.start) * min(max(share, 0.0), 1.0), 1)

    def ticks(self, values: Sequence[float], labels: Sequence[str]) -> list[Tick]:
        """Return the marks of (N,) values with their labels."""
        return [Tick(self.place(value), label) for value, label in zip(values, labels, strict=True)]


@dataclass(frozen=True)
class Frame:
    """The field of a drawing with its axes: `left`, `right`, `top`, `bottom` bound it in a box of `size`."""

    size: Size
    left: float
    right: float
    top: float
    bottom: float
    x_ticks: Sequence[Tick] = ()
    y_ticks: Sequence[Tick] = ()


def make_frame(size: Size, y_labels: Sequence[str], top: int = _TOP) -> Frame:
    """Lay out a field that leaves room for the labels of its y axis, and below for those of its x axis."""
    left = round(_LEFT + _TICK_CHARACTER * max(map(len, y_labels)), 1)
    return Frame(size, left, size.width - _RIGHT, top, size.height - _BOTTOM)


def nice_ticks(low: float, high: float, about: int) -> list[float]:
    """Return round values (steps of 1, 2 or 5 times a power of ten) from at or below `low` to at or above `high`."""
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        room = abs(low) / 2
        low, high = low - room, low + room if room > 1e-9 else low + 1.0
    rough = (high - low) / max(about - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999), 10 * power)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) if step > 1e-9 else number * step for number in range(first, last + 1)]


def decade_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten from at or below `low` (above 0) to at or above `high`."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    stride = max(-(-(last - first) // 6), 1)
    return [10.0**power for power in range(first, max(last, first + 1) + stride, stride)]


def inner_ticks(low: float, high: float, scale: Scale) -> list[float]:
    """Return round values from `low` to `high`, none beyond; on a logarithmic axis 1, 2, 5, 10, 20 ... or decades.

    Args:
        low, high: above 0 where the scale is logarithmic.
    """
    if scale == "linear":
        return [tick for tick in nice_ticks(low, high, 6) if low - 1e-9 <= tick <= high * 1.0001]
    factors = (1, 2, 5) if high < 1000 * low else (1,)
    ticks = [factor * decade for decade in decade_ticks(low, high) for factor in factors]
    within = [tick for tick in ticks if low <= tick * 1.0001 and tick <= high * 1.0001]
    return within or [low, high]


def tick_labels(ticks: Sequence[float], show: Print | None = None, scale: Scale = "linear") -> list[str]:
    """Write the values of an axis with as many decimals as its steps need; percent where values are so written."""
    if show is not None and show(0.5).endswith("%"):
        return [f"{label}{show(0.5)[-2:]}" for label in tick_labels([tick * 100 for tick in ticks], None, scale)]
    if scale == "logarithmic":
        return [f"{tick:,.0f}" if 1000 <= tick < 1e6 else f"{tick:.3g}" for tick in ticks]
    largest = max(map(abs, ticks))
    if largest < 0.001 or largest >= 1e6:
        return [f"{tick:.2g}" for tick in ticks]
    step = min((b - a for a, b in pairwise(ticks)), default=1.0)
    decimals = max(-math.floor(math.log10(step) + 1e-9), 0)
    return [f"{tick:,.{decimals}f}" for tick in ticks]


def _scaled(value: float, scale: Scale) -> float:
    return math.log10(max(value, 1e-30)) if scale == "logarithmic" else value
