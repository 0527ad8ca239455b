"""Bars of error rates: a track from 0 to 100 %, the rate filled in and its interval marked, as CSS lengths."""

from lowres.scoring.bootstrap import Interval


def track_width(rate: float) -> str:
    """Turn a rate into a length on the track, "37.20%"; a rate past 1 fills the track."""
    return f"{min(max(rate, 0.0), 1.0) * 100:.2f}%"


def track_part(interval: Interval) -> str:
    """Return the style that places an interval of rates on the track; what lies past 1 is cut off."""
    low, high = min(interval.low, 1.0), min(interval.high, 1.0)
    return f"left:{low * 100:.2f}%;width:{(high - low) * 100:.2f}%"
