"""Notices transcripts that belong to other recordings: scrambled, or shifted by a few rows.

Longer sentences take longer to say. Where durations do not follow the lengths of their transcripts at all, the table
was scrambled; where they follow the transcripts of the neighbouring rows, it slipped. The thresholds and how they were
chosen on real speech: docs/decisions/2026-11-22-transcript-order.md.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Verdict = Literal["good", "scrambled", "shifted", "too few to tell"]
_ACCUSATIONS: Final = ("scrambled", "shifted")
_Floats = npt.NDArray[np.float64]

_SHIFTS: Final = (-3, -2, -1, 0, 1, 2, 3)
_MIN_PAIRS: Final = 20
_CLEAR_RELATION: Final = 3.3
"""Fisher z in standard errors above which durations surely follow their transcripts."""
_SHORTFALL: Final = 2.3
"""... and how many standard errors they must fall short of ordinary speech with texts as varied as these to accuse,"""
_ENOUGH_POWER: Final = 4.5
"""provided that such speech would reach this: otherwise there is too little to tell."""
_WEAK_SLOPE: Final = 0.1
"""However many rows: twice the text must take at least this share longer (real corpora: 0.26 to 0.87)."""
_LOW_SLOPE_WORDS: Final = 0.25
_LOW_SLOPE_SENTENCES: Final = 0.5
"""Relative change of duration per relative change of transcript length, at the low end of real corpora."""
_MOST_SILENCE_SECONDS: Final = 5.0
"""In long recordings more is expected: only this much of each may be silence that has nothing to do with the text."""
_HEAVY_TAIL: Final = 1.0
"""Where lengths spread further than this (standard deviation by mean), a few long turns among short ones would decide,
and scrambled ones may fall on each other by chance: logarithms are compared then (real: 0.13 to 0.48, turns 1.63)."""
_SHIFT_EVIDENCE: Final = 8.0
"""Nats by which a shift of a whole split must explain durations better; with true transcripts 4 standard deviations."""
_STRETCH_EVIDENCE: Final = 25.0
"""Nats for a shift of part of a split, higher because every stretch is tried."""
_MOST_PER_ROW: Final = 4.0
"""No single row counts for more nats than this, so that a few bad recordings accuse nobody."""


@dataclass(frozen=True)
class TranscriptOrder:
    """Whether transcripts stand beside their recordings.

    Attributes:
        correlation: between duration and transcript length, or their logarithms where a few long turns would decide,
            -1 to 1; None where it cannot be computed.
        by_shift: the same when every recording gets the transcript of k rows further down, k = -3..3; shifts stay
            inside a split. Shifts that cannot be computed are left out.
        verdict: "scrambled" and "shifted" are accusations; "too few to tell" is neither praise nor blame.
        sentence: the verdict in plain language, with the remedy.
        num_pairs: recordings with a transcript that were compared.
        split: the split that is accused, "" for all of them (or none).
        shift: rows further down where the right transcript stands (0 unless shifted).
        first_utterance, last_utterance: ids of the ends of the shifted stretch ("" unless shifted).
    """

    correlation: float | None
    by_shift: dict[int, float]
    verdict: Verdict
    sentence: str
    num_pairs: int = 0
    split: str = ""
    shift: int = 0
    first_utterance: str = ""
    last_utterance: str = ""

    @property
    def is_accusation(self) -> bool:
        """Whether nobody should train on this: transcripts seem to belong to other recordings."""
        return self.verdict in _ACCUSATIONS


@dataclass(frozen=True)
class _Rows:
    """One split: ids, and durations and lengths relative to their means; NaN where a row has no audio or text."""

    split: str
    ids: "pd.Series[str]"
    durations: _Floats
    lengths: _Floats
    low_slope: float

    def pairs(self, shift: int) -> tuple[_Floats, _Floats, npt.NDArray[np.int64]]:
        """Return durations, the lengths `shift` rows further down, and the rows of those pairs that have both."""
        rows = np.arange(max(0, -shift), len(self.durations) - max(0, shift))
        known = np.isfinite(self.durations[rows]) & np.isfinite(self.lengths[rows + shift])
        rows = rows[known]
        return self.durations[rows], self.lengths[rows + shift], rows


@dataclass(frozen=True)
class _Finding:
    """A verdict on some rows, with their correlation as they stand and moved by `shift`.

    `ends` are positions in the split's rows, both inclusive.
    """

    verdict: Verdict
    split: str = ""
    shift: int = 0
    ends: tuple[int, int] | None = None
    r_here: float = 0.0
    r_moved: float = 0.0


@dataclass(frozen=True)
class _Fit:
    """Durations explained by lengths at one shift: correlation r, slope b, its standard error, over n pairs."""

    r: float
    slope: float
    slope_error: float
    num_pairs: int
    spread: float

    @property
    def fisher_z(self) -> float:
        """Return the correlation in standard errors from 0 (Fisher's transformation)."""
        return float(np.arctanh(np.clip(self.r, -0.999999, 0.999999)) * np.sqrt(max(self.num_pairs - 3, 0)))

    @property
    def nats(self) -> float:
        """Return by how many nats lengths explain durations, against no relation; 0 where the relation is negative."""
        return -0.5 * self.num_pairs * float(np.log1p(-min(max(self.r, 0.0) ** 2, 0.999999)))


def check_transcript_order(table: pd.DataFrame) -> TranscriptOrder:
    """Compare durations with transcript lengths, in place and shifted by up to three rows.

    The rows must be in the order in which the corpus lists them: sorting them by name may hide a shift.

    Args:
        table: has utterance_id, split, text and duration_seconds; rows without audio (0 seconds) or text count as
            rows but are not compared.
    """
    parts = _tame([_prepare_rows(str(name), rows) for name, rows in table.groupby("split", sort=False)])
    fits = {shift: fit for shift in _SHIFTS if (fit := _fit(parts, shift)) is not None}
    by_shift = {shift: round(fit.r, 4) for shift, fit in fits.items()}
    num_pairs = fits[0].num_pairs if 0 in fits else 0
    finding = _judge(parts, fits)
    part = next((part for part in parts if part.split == finding.split), None)
    first, last = (
        (str(part.ids.iloc[finding.ends[0]]), str(part.ids.iloc[finding.ends[1]]))
        if part is not None and finding.ends is not None
        else ("", "")
    )
    return TranscriptOrder(
        correlation=by_shift.get(0),
        by_shift=by_shift,
        verdict=finding.verdict,
        sentence=_say(finding, num_pairs, first, last),
        num_pairs=num_pairs,
        split=finding.split,
        shift=finding.shift,
        first_utterance=first,
        last_utterance=last,
    )


def _judge(parts: list[_Rows], fits: dict[int, _Fit]) -> _Finding:
    """Judge all splits together, then each one, then stretches; the first accusation stands."""
    overall = _judge_fits(fits, parts)
    if overall.verdict == "shifted" or (overall.verdict == "scrambled" and len(parts) == 1):
        return overall
    for part in parts if len(parts) > 1 else []:
        alone = {shift: fit for shift in _SHIFTS if (fit := _fit([part], shift)) is not None}
        finding = _judge_fits(alone, [part])
        if finding.verdict in _ACCUSATIONS:
            return replace(finding, split=part.split)
    for part in parts:
        stretch = _find_shifted_stretch(part)
        if stretch is not None:
            return stretch
    return overall


def _judge_fits(fits: dict[int, _Fit], parts: list[_Rows]) -> _Finding:
    if 0 not in fits:
        return _Finding("too few to tell")
    here = fits[0]
    best = max(fits, key=lambda shift: (fits[shift].nats, -abs(shift)))
    if fits[best].nats - here.nats > _SHIFT_EVIDENCE and fits[best].fisher_z > _CLEAR_RELATION:
        return _Finding("shifted", shift=best, r_here=here.r, r_moved=fits[best].r)
    if here.slope + 3 * here.slope_error < _WEAK_SLOPE:
        return _Finding("scrambled", r_here=here.r)
    expected_r = min(0.9, min(part.low_slope for part in parts) * here.spread)
    expected = float(np.arctanh(expected_r) * np.sqrt(max(here.num_pairs - 3, 0)))
    suspicious = min(expected - _SHORTFALL, max(_CLEAR_RELATION, expected / 2.5))
    if expected >= _ENOUGH_POWER and here.fisher_z < suspicious:
        return _Finding("scrambled", r_here=here.r)
    if here.fisher_z >= _CLEAR_RELATION:
        return _Finding("good", r_here=here.r)
    return _Finding("too few to tell")


def _prepare_rows(split: str, rows: pd.DataFrame) -> _Rows:
    texts = rows["text"].tolist()
    lengths = np.fromiter(map(len, texts), dtype=np.float64, count=len(texts))
    durations = rows["duration_seconds"].to_numpy(dtype=np.float64).copy()
    return _Rows(split, rows["utterance_id"], _relative(durations), _relative(lengths), _low_slope(texts, durations))


def _tame(parts: list[_Rows]) -> list[_Rows]:
    """Take logarithms in all splits where lengths have a heavy tail; a slope means the same either way."""
    lengths = np.concatenate([part.lengths[np.isfinite(part.lengths)] for part in parts]) if parts else np.empty(0)
    if len(lengths) < 2 or lengths.std() <= _HEAVY_TAIL:
        return parts
    return [replace(part, durations=np.log(part.durations), lengths=np.log(part.lengths)) for part in parts]


def _low_slope(texts: list[str], durations: _Floats) -> float:
    spaces = np.fromiter((text.count(" ") for text in texts), dtype=np.float64, count=len(texts))
    least = _LOW_SLOPE_SENTENCES if np.median(spaces) >= 2 else _LOW_SLOPE_WORDS
    spoken = durations[durations > 0]
    return max(least, 1 - _MOST_SILENCE_SECONDS / float(np.median(spoken))) if len(spoken) else least


def _relative(values: _Floats) -> _Floats:
    """Divide by the mean of what is there (not 0) and bound the most extreme 1 % at both ends; 0 becomes NaN."""
    relative = np.where(values > 0, values, np.nan)
    known = relative[np.isfinite(relative)]
    if not len(known):
        return relative
    low, high = np.quantile(known, (0.01, 0.99))
    return np.asarray(np.clip(relative, low, high) / known.mean(), dtype=np.float64)


def _fit(parts: list[_Rows], shift: int) -> _Fit | None:
    """Fit durations by lengths, each centred on its split; None where there are too few or nothing varies."""
    centred = [
        (durations - durations.mean(), lengths - lengths.mean())
        for durations, lengths, _ in (part.pairs(shift) for part in parts)
        if len(durations)
    ]
    durations = np.concatenate([pair[0] for pair in centred]) if centred else np.empty(0)
    lengths = np.concatenate([pair[1] for pair in centred]) if centred else np.empty(0)
    if len(durations) < _MIN_PAIRS or lengths.std() < 0.02 or durations.std() < 1e-6:
        return None
    slope = float(durations @ lengths / (lengths @ lengths))
    left = durations - slope * lengths
    return _Fit(
        r=float(durations @ lengths / np.sqrt((durations @ durations) * (lengths @ lengths))),
        slope=slope,
        slope_error=float(np.sqrt(left @ left / (len(left) - 2) / (lengths @ lengths))),
        num_pairs=len(durations),
        spread=float(lengths.std() / durations.std()),
    )


def _find_shifted_stretch(part: _Rows) -> _Finding | None:
    """Find the stretch of rows, if any, that another shift explains far better than the place where they stand."""
    fits = {shift: fit for shift in _SHIFTS if (fit := _fit([part], shift)) is not None}
    if 0 not in fits:
        return None
    slope = max(fits.values(), key=lambda fit: fit.nats).slope
    here = _squared_misfits(part, 0, slope)
    best: tuple[float, _Finding | None] = (_STRETCH_EVIDENCE, None)
    for shift in _SHIFTS:
        if shift == 0 or shift not in fits:
            continue
        there = _squared_misfits(part, shift, slope)
        # The variance of the better explanation of each row is too small, that of the worse one too large: take the
        # median row of the present place, which half of the rows may have left before it breaks.
        variance = float(np.nanmedian(here)) / 0.455
        gain = np.clip(np.nan_to_num((here - there) / (2 * max(variance, 1e-6))), -_MOST_PER_ROW, _MOST_PER_ROW)
        sums = np.concatenate([[0.0], np.cumsum(gain)])
        lowest = np.minimum.accumulate(sums)
        end = int(np.argmax(sums - lowest))
        evidence = float(sums[end] - lowest[end])
        if evidence > best[0]:
            start = int(np.argmin(sums[: end + 1]))
            best = (evidence, _Finding("shifted", part.split, shift, (start, end - 1)))
    return best[1] and _with_correlations(best[1], part)


def _with_correlations(finding: _Finding, part: _Rows) -> _Finding:
    start, end = finding.ends or (0, len(part.durations) - 1)

    def correlate(shift: int) -> float:
        durations, lengths, rows = part.pairs(shift)
        inside = (rows >= start) & (rows <= end)
        if inside.sum() < 3 or durations[inside].std() == 0 or lengths[inside].std() == 0:
            return 0.0
        return float(np.corrcoef(durations[inside], lengths[inside])[0, 1])

    return replace(finding, r_here=correlate(0), r_moved=correlate(finding.shift))


def _squared_misfits(part: _Rows, shift: int, slope: float) -> _Floats:
    misfits = np.full(len(part.durations), np.nan)
    durations, lengths, rows = part.pairs(shift)
    misfit = durations - slope * lengths
    misfits[rows] = (misfit - np.median(misfit)) ** 2
    return misfits


def _say(finding: _Finding, num_pairs: int, first: str, last: str) -> str:
    where = f" in {finding.split}" if finding.split else ""
    r = f"correlation {finding.r_here:+.2f}"
    match finding.verdict:
        case "good":
            return f"Transcripts stand beside their recordings: longer texts take longer to say ({r})."
        case "scrambled":
            return (
                f"The transcripts{where} seem to belong to other recordings: how long a recording lasts has nothing to "
                f"do with how long its transcript is ({r}). Compare a few recordings with their transcripts; the "
                "transcript file may have been sorted or pasted in another order. Do not train on this."
            )
        case "shifted":
            rows = f"{abs(finding.shift)} row{'s' if abs(finding.shift) > 1 else ''}"
            direction = "further down" if finding.shift > 0 else "further up"
            stretch = f" from {first} to {last}" if first else ""
            return (
                f"The transcripts{where}{stretch} seem to have slipped: the right one stands {rows} {direction} "
                f"(correlation {finding.r_here:+.2f} as they stand, {finding.r_moved:+.2f} "
                f"when moved). Look for a line too many or too few in the transcript file. Do not train on this."
            )
    return (
        f"Too few utterances, or too much alike, to tell from their durations whether transcripts belong to their "
        f"recordings ({num_pairs:,} compared)."
    )
