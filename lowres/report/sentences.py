"""Error rates in words: what a linguist reads before any table."""

from lowres.scoring.bootstrap import Interval
from lowres.scoring.scorecard import Rate

NO_BREAK = "\u00a0"


def per_hundred(rate: float) -> str:
    """Say a rate of 0-1 as a count in 100, with one decimal under ten: 0.372 is "37", 0.041 is "4.1"."""
    if rate == float("inf"):
        return "every one and more"
    hundredth = rate * 100
    return f"{hundredth:.1f}".removesuffix(".0") if hundredth < 10 else f"{hundredth:.0f}"


def percent(rate: float | None, decimals: int = 2) -> str:
    """Print a rate of 0-1 in percent; "–" where there is none."""
    if rate is None or rate == float("inf"):
        return "–"
    return f"{rate * 100:.{decimals}f}{NO_BREAK}%"


def interval_text(interval: Interval | None, decimals: int = 1) -> str:
    """Print an interval as "34.1-39.8 %"; "–" where there is none."""
    if interval is None:
        return "–"
    return f"{interval.low * 100:.{decimals}f}–{interval.high * 100:.{decimals}f}{NO_BREAK}%"


def headline(words: Rate, characters: Rate) -> str:
    """Say both error rates in one sentence: "Of 100 words about 37 need correcting, of 100 letters about 12."."""
    if words.counts.num_reference == 0:
        return "The references are empty, so there is no error rate."
    if words.counts.num_errors == 0:
        if words.counts.num_reference == 1:
            return "The only word needs no correcting."
        return f"Not one of the {words.counts.num_reference:,} words needs correcting."
    if words.counts.hits == 0:
        if words.counts.num_reference == 1:
            return "The only word was not heard right."
        return f"Not one of the {words.counts.num_reference:,} words was heard right."
    wrong_words, wrong_letters = per_hundred(words.counts.error_rate), per_hundred(characters.counts.error_rate)
    if words.counts.error_rate >= 1:
        return f"There are as many word errors as words, or more: about {wrong_words} for every 100 words said."
    return f"Of 100 words about {wrong_words} need correcting; of 100 letters about {wrong_letters}."


def range_sentence(words: Rate) -> str:
    """Say what the interval of the word error rate means; "" where there is none."""
    if words.over_utterances is None:
        return ""
    sentence = f"With other sentences like these from the same speakers, {_between(words.over_utterances)} words in 100"
    if words.over_speakers is None:
        return sentence + "."
    return (
        f"{sentence}; with other speakers like these {words.over_speakers.num_units}, {_between(words.over_speakers)}."
    )


def _between(interval: Interval) -> str:
    low, high = per_hundred(interval.low), per_hundred(interval.high)
    return f"about {low}" if low == high else f"between {low} and {high}"


def duration_text(seconds: float) -> str:
    """Print a duration as people say it: "12 s", "4 min 10 s", "1 h 05 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
