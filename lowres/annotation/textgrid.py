"""Reads and writes Praat's TextGrid: interval and point tiers, as long text, short text or binary."""

from itertools import pairwise
from pathlib import Path

from lowres.annotation.files import decode_text, read_bytes, write_text
from lowres.annotation.praat_values import BINARY_MARK, BinaryValues, PraatValues, TextValues
from lowres.annotation.tiers import Annotation, AnnotationFile, Tier
from lowres.annotation.times import LeftOut, check_times, in_order, possible
from lowres.errors import CorpusError

# Shorter than one sample of any recording: a gap or an overlap of this size comes from rounding, not from a person.
_ROUNDING_SECONDS = 1e-6


def read_textgrid(path: Path) -> AnnotationFile:
    """Read a TextGrid, whatever its form and encoding.

    Intervals whose text is empty or white space are silence and are not among the annotations; points stay, with or
    without text. `duration_seconds` is the grid's xmax.

    Raises:
        CorpusError: no TextGrid, a damaged one, or one whose counts are wrong, with the line (the byte, if binary).
    """
    contents = read_bytes(path)
    if contents.startswith(BINARY_MARK):
        return _read_grid(BinaryValues(contents, path), path, ())
    text, notes = decode_text(contents, path)
    if "ooTextFile" not in text[:200]:
        raise CorpusError(
            f"{path} is not a TextGrid{_what_else(text)}.", "Open it in Praat and save it as a text file."
        )
    values = TextValues(text, path)
    values.text()
    return _read_grid(values, path, notes)


def write_textgrid(file: AnnotationFile, path: Path) -> None:
    """Write tiers as a TextGrid: long text, UTF-8, times to the last digit, from 0 s to the duration or the last end.

    Praat wants each interval tier covered from its start to its end, so that gaps are filled with empty intervals.
    Participants, languages, parents and media have no place in the format and are not written.

    Args:
        file: tiers of intervals that do not overlap, and of points of which no two have the same time.
        path: replaced only once the new file is whole.

    Raises:
        CorpusError: annotations that overlap, take no time or have impossible times, with tier and time; nothing that
            says how long the recording is; or a file that cannot be written.
    """
    ends = [annotation.end_seconds for tier in file.tiers for annotation in check_times(tier, path)]
    duration = max([file.duration_seconds or 0.0, *ends])
    if not 0 < duration < float("inf"):
        raise CorpusError(
            f"{path} cannot be written: nothing is annotated, and nothing says how long the recording is.",
            "Give duration_seconds: a TextGrid must have a length.",
        )
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", *_span(duration), "tiers? <exists>"]
    lines += [f"size = {len(file.tiers)}", "item []:"]
    for number, tier in enumerate(file.tiers, start=1):
        lines += _tier_lines(tier, number, duration, path)
    write_text(path, "\n".join(lines) + "\n")


def _read_grid(values: PraatValues, path: Path, notes: tuple[str, ...]) -> AnnotationFile:
    kind = values.class_name()
    # Praat writes a version after the name once there is one: "TextGrid 2".
    if kind.partition(" ")[0] != "TextGrid":
        raise CorpusError(
            f"{path} holds Praat's {kind[:40]!r}, not a TextGrid.",
            "Open it in Praat, choose the TextGrid alone, and save it as a text file.",
        )
    values.real()
    duration = values.real()
    num_tiers = values.count() if values.flag() else 0
    left_out = LeftOut()
    tiers = []
    for _ in range(num_tiers):
        values.within = values.within or f", in a grid that says it has {num_tiers} tiers"
        tiers.append(_read_tier(values, path, left_out))
    values.finish()
    known = duration if 0 <= duration < float("inf") else None
    return AnnotationFile(tuple(tiers), duration_seconds=known, notes=notes + left_out.notes())


def _read_tier(values: PraatValues, path: Path, left_out: LeftOut) -> Tier:
    kind = values.class_name().partition(" ")[0]
    if kind not in ("IntervalTier", "TextTier"):
        raise CorpusError(
            f"{path}: {values.place()} begins a tier of the kind {kind[:40]!r}{values.within}.",
            "A tier is an IntervalTier or a TextTier: correct that line, or a count further up that is wrong.",
        )
    name = values.text()
    values.real()
    values.real()
    count = values.count()
    things = "intervals" if kind == "IntervalTier" else "points"
    values.within = f", in or after tier {name[:40]!r}, which says that it has {count} {things}"
    if kind == "IntervalTier":
        return Tier(name, in_order(_read_intervals(values, count, left_out)))
    return Tier(name, in_order(_read_points(values, count, left_out)), "points")


def _read_intervals(values: PraatValues, count: int, left_out: LeftOut) -> list[Annotation]:
    annotations = []
    for _ in range(count):
        start, end, text = values.real(), values.real(), values.text()
        if not text or text.isspace():
            continue
        if possible(start, end):
            annotations.append(Annotation(start, end, text))
        else:
            left_out.add(start, end, values.place())
    return annotations


def _read_points(values: PraatValues, count: int, left_out: LeftOut) -> list[Annotation]:
    annotations = []
    for _ in range(count):
        time, mark = values.real(), values.text()
        if possible(time, time):
            annotations.append(Annotation(time, time, mark))
        else:
            left_out.add(time, time, values.place())
    return annotations


def _what_else(text: str) -> str:
    if not text.strip():
        return ": it is empty"
    return ", but Praat's chronological kind" if "chronological" in text[:200] else ""


def _tier_lines(tier: Tier, number: int, duration: float, path: Path) -> list[str]:
    points = tier.kind == "points"
    lines = [f"    item [{number}]:", f'        class = "{"TextTier" if points else "IntervalTier"}"']
    lines += [f"        name = {_quote(tier.name)}", *("        " + line for line in _span(duration))]
    annotations = check_times(tier, path)
    if points:
        _refuse_same_times(tier, annotations, path)
        lines.append(f"        points: size = {len(annotations)}")
        for place, point in enumerate(annotations, start=1):
            lines += [f"        points [{place}]:", f"            number = {_number(point.start_seconds)}"]
            lines.append(f"            mark = {_quote(point.text)}")
        return lines
    intervals = _cover(tier, annotations, duration, path)
    lines.append(f"        intervals: size = {len(intervals)}")
    for place, interval in enumerate(intervals, start=1):
        lines += [f"        intervals [{place}]:", f"            xmin = {_number(interval.start_seconds)}"]
        lines.append(f"            xmax = {_number(interval.end_seconds)}")
        lines.append(f"            text = {_quote(interval.text)}")
    return lines


def _cover(tier: Tier, annotations: tuple[Annotation, ...], duration: float, path: Path) -> list[Annotation]:
    """Return the annotations with empty intervals before, between and after them, so that they cover the recording."""
    covering: list[Annotation] = []
    reached = 0.0
    for annotation in annotations:
        start, end = annotation.start_seconds, annotation.end_seconds
        if start > reached + _ROUNDING_SECONDS:
            covering.append(Annotation(reached, start, ""))
        elif start < reached - _ROUNDING_SECONDS:
            raise CorpusError(
                f"{path} cannot be written: tier {tier.name!r} has annotations that overlap at {start:g} s.",
                "A TextGrid has room for one at a time: give each speaker a tier, or correct the times.",
            )
        else:
            start = reached
        if end <= start:
            raise CorpusError(
                f"{path} cannot be written: tier {tier.name!r} has an annotation that takes no time at {start:g} s.",
                'Correct its times, or make the tier one of points (kind "points").',
            )
        covering.append(Annotation(start, end, annotation.text))
        reached = end
    if covering and reached >= duration - _ROUNDING_SECONDS:
        covering[-1] = Annotation(covering[-1].start_seconds, duration, covering[-1].text)
    else:
        covering.append(Annotation(reached, duration, ""))
    return covering


def _refuse_same_times(tier: Tier, points: tuple[Annotation, ...], path: Path) -> None:
    for before, after in pairwise(points):
        if before.start_seconds == after.start_seconds:
            raise CorpusError(
                f"{path} cannot be written: tier {tier.name!r} has two points at {after.start_seconds:g} s.",
                "Praat keeps one of them only: join their texts, or give them two tiers.",
            )


def _span(duration: float) -> tuple[str, str]:
    return "xmin = 0", f"xmax = {_number(duration)}"


def _number(seconds: float) -> str:
    # Adding 0 turns -0.0 into 0.0; float() turns numpy's numbers into ones whose repr is only digits.
    return repr(float(seconds) + 0.0)


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
