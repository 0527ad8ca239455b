"""Checks of the audio: unreadable, empty, silent, clipped, band-limited, too long, overlapping, twice there."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from lowres.manifest.findings import CheckResult, column, describe, make_result

_HEARD_SECONDS: Final = 0.05
"""Shorter overlaps come from boundaries that were drawn by hand, and hold no letter."""


def check_unreadable(table: pd.DataFrame, reasons: Mapping[str, str]) -> CheckResult:
    """Name the utterances whose recording could not be read.

    Args:
        reasons: utterance_id to what the decoder said.
    """
    ids = table["utterance_id"][table["utterance_id"].isin(list(reasons))]
    return make_result("unreadable", "drop", ids, [reasons[name] for name in ids], "the recording cannot be read")


def check_empty_audio(table: pd.DataFrame, min_seconds: float) -> CheckResult:
    """Find utterances of no samples, or of less than `min_seconds`."""
    seconds = column(table, "duration_seconds")
    bad = (seconds < min_seconds) | (seconds == 0)
    told = f"there is no audio, or less than {min_seconds:g} s of it"
    return make_result("empty-audio", "drop", table["utterance_id"][bad], describe("{:.3f} s", seconds[bad]), told)


def check_silent(table: pd.DataFrame, measures: pd.DataFrame, silence_dbfs: float) -> CheckResult:
    """Find utterances whose loudest moment stays below `silence_dbfs`; those without audio are not counted again.

    Args:
        measures: (N, ...) in the table's order, with `loudest_dbfs`.
    """
    loudest = column(measures, "loudest_dbfs")
    bad = (loudest < silence_dbfs) & (column(table, "duration_seconds") > 0)
    details = describe("loudest moment {:.0f} dB", loudest[bad])
    return make_result("silent", "drop", table["utterance_id"][bad], details, "nothing can be heard")


def check_clipped(table: pd.DataFrame, measures: pd.DataFrame, max_clipped_share: float) -> CheckResult:
    """Find utterances with more samples at full scale than `max_clipped_share` (0-1)."""
    share = column(measures, "clipped_share")
    bad = share > max_clipped_share
    told = f"recorded too loud, more than {max_clipped_share:.2%} of it is cut off at full scale"
    details = describe("{:.2%} at full scale", share[bad])
    return make_result("clipped", "warn", table["utterance_id"][bad], details, told)


def check_band_limited(table: pd.DataFrame, measures: pd.DataFrame, min_bandwidth_hz: float) -> CheckResult:
    """Find utterances with nothing above `min_bandwidth_hz`, such as telephone speech; silence is not counted."""
    bandwidth = column(measures, "bandwidth_hz")
    bad = (bandwidth < min_bandwidth_hz) & (bandwidth > 0)
    told = f"nothing above {min_bandwidth_hz:,.0f} Hz, as over a telephone or from an 8 kHz file"
    details = describe("nothing above {:.0f} Hz", bandwidth[bad])
    return make_result("band-limited", "warn", table["utterance_id"][bad], details, told)


def check_too_long(table: pd.DataFrame, max_seconds: float) -> CheckResult:
    """Find utterances longer than `max_seconds`."""
    seconds = column(table, "duration_seconds")
    bad = seconds > max_seconds
    told = f"longer than {max_seconds:g} s, which costs memory in training"
    return make_result("too-long", "warn", table["utterance_id"][bad], describe("{:.1f} s", seconds[bad]), told)


def check_overlapping_speech(
    table: pd.DataFrame, channels: Sequence[int | None], tolerated_seconds: float
) -> CheckResult:
    """Find utterances of one recording and channel during which another one is spoken.

    Args:
        channels: (N,) in the table's order; None mixes all.
        tolerated_seconds: what two neighbours may share, such as the padding that was added to both.
    """
    shared = np.zeros(len(table))
    places = table["audio_path"].duplicated(keep=False).to_numpy().nonzero()[0].tolist()
    paths, starts = table["audio_path"].tolist(), column(table, "start_seconds")
    ends = starts + column(table, "duration_seconds")
    reached: dict[tuple[str, int | None], int] = {}
    for place in sorted(places, key=lambda number: float(starts[number])):
        key = (paths[place], channels[place])
        last = reached.get(key)
        if last is not None:
            overlap = min(ends[last], ends[place]) - starts[place]
            shared[place], shared[last] = max(shared[place], overlap), max(shared[last], overlap)
        if last is None or ends[place] > ends[last]:
            reached[key] = place
    bad = shared > tolerated_seconds + _HEARD_SECONDS
    told = "somebody else speaks during it, and only one of the two is in the transcript"
    details = describe("{:.2f} s are in another utterance too", shared[bad])
    return make_result("overlapping-speech", "warn", table["utterance_id"][bad], details, told)


def check_duplicate_audio(table: pd.DataFrame, measures: pd.DataFrame) -> CheckResult:
    """Find utterances whose samples are, bit for bit, those of an earlier one.

    Args:
        measures: (N, ...) in the table's order, with `audio_hash`: any hash of the samples, "" for no audio.
    """
    hashes = pd.Series(measures["audio_hash"].to_numpy(dtype=object), index=table.index)
    bad = hashes.duplicated() & (hashes != "")
    first = table.assign(hash=hashes)[~hashes.duplicated()].set_index("hash")
    originals = first.loc[hashes[bad], ["utterance_id", "text"]]
    is_other_text = originals["text"].to_numpy(dtype=object) != table["text"][bad].to_numpy(dtype=object)
    details = [
        f"same audio as {original}" + (", with another text" if differs else "")
        for original, differs in zip(originals["utterance_id"].tolist(), is_other_text.tolist(), strict=True)
    ]
    told = "the same audio as an earlier utterance"
    if is_other_text.any():
        told += f", {int(np.sum(is_other_text)):,} of them with another transcript, so one of the two is wrong"
    return make_result("duplicate-audio", "warn", table["utterance_id"][bad], details, told)
