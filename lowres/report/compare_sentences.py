"""A comparison in words: what is better by how much, whether that is luck, and how many utterances would tell."""

from collections.abc import Sequence

from lowres.report.compare_contents import CompareContents, Comparison, Measured, SeedGroup
from lowres.report.sentences import NO_BREAK, per_hundred, percent
from lowres.scoring.bootstrap import NUM_REPLICATES, Interval
from lowres.scoring.significance import POWER
from lowres.text.audit_tally import counted

_MOST_UTTERANCES_SAID = 100_000


def headline(contents: CompareContents, comparison: Comparison) -> str:
    """Say in one sentence which of two runs makes fewer word errors, or that it cannot be told."""
    before, now = contents.baseline.name, contents.runs[comparison.run].name
    words = comparison.words
    match words.verdict:
        case "same":
            errors = words.difference.num_errors
            return f"{now} and {before} make the same number of word errors: {errors:,}."
        case "better" | "worse":
            return f"{now} makes {change_text(words, f'word errors than {before}')}."
        case "unsure":
            return _not_told_apart(contents, comparison)
    return f"{now} may make {_direction(words)} word errors than {before}, but the two tests of luck disagree."


def _not_told_apart(contents: CompareContents, comparison: Comparison) -> str:
    """Say that words do not tell two runs apart, and what letters, of which there are more, say to it."""
    before, now = contents.baseline.name, contents.runs[comparison.run].name
    said = f"{now} and {before} cannot be told apart with {_these(len(contents.text.utterance_ids))}"
    if comparison.characters.verdict not in ("better", "worse"):
        return f"{said}."
    return f"By words, {said}; by letters, {now} makes {change_text(comparison.characters, 'errors')}."


def _these(number: int) -> str:
    return "this one utterance" if number == 1 else f"these {number:,} utterances"


def change_text(measured: Measured, what: str) -> str:
    """Say a difference with its interval: "12 % fewer word errors (8 to 16 %)"."""
    gain = measured.difference.gain
    if measured.difference.num_errors_before == 0:
        number = measured.difference.num_errors
        return f"{number:,} more {what.replace('errors', 'error', 1) if number == 1 else what}"
    said = f"{_whole_percent(abs(gain.share))} {_direction(measured)} {what}"
    return f"{said} ({interval_words(gain.interval, gain.share)})" if gain.interval else said


def interval_words(interval: Interval, share: float) -> str:
    """Say the interval of a gain, read in the direction of the gain: "8 to 16 %", "from 2 % more to 9 % fewer"."""
    low, high = interval.low, interval.high
    if share < 0:
        low, high = -high, -low
    if low >= 0:
        return f"{_number(low)} to {_whole_percent(high)}"
    more, fewer = ("more", "fewer") if share >= 0 else ("fewer", "more")
    if high <= 0:  # the whole interval lies on the other side of nothing: only where draws are few and skewed
        return f"{_number(-high)} to {_whole_percent(-low)} {more}"
    return f"from {_whole_percent(-low)} {more} to {_whole_percent(high)} {fewer}"


def luck_sentence(contents: CompareContents, comparison: Comparison) -> str:
    """Say whether the difference in words is luck of the draw, with both tests, and what would tell where it may be."""
    words, number = comparison.words, len(contents.text.utterance_ids)
    difference, name = words.difference, contents.runs[comparison.run].name
    tests = f"chance of luck {chance_text(words.luck_by_redrawing)} by redrawing, "
    tests += f"{chance_text(words.luck_by_swapping)} by swapping"
    match words.verdict:
        case "same":
            return "There is no difference to explain, though they may err in different words."
        case "better" | "worse":
            contrary = "better" if words.verdict == "worse" else "worse"
            return (
                f"This is not luck of the draw: in {difference.num_against:,} of {NUM_REPLICATES:,} redrawn tests was "
                f"{name} {contrary} or no different ({tests})."
            )
        case "unsure":
            return (
                f"Here {name} makes {change_text(words, 'word errors')}; a difference of this size is often luck "
                f"({tests}). {needed_sentence(difference.num_needed, number)}"
            )
    return (
        f"{name} makes {change_text(words, 'word errors')}, but one test calls it luck and the other does not "
        f"({tests}): take it as not shown. {needed_sentence(difference.num_needed, number)}"
    )


def needed_sentence(needed: int | None, number: int) -> str:
    """Say how many utterances would show a difference like this one; "" where there is none."""
    if needed is None:
        return ""
    if needed > _MOST_UTTERANCES_SAID:
        return "It is so small that more than 100,000 utterances like these would be needed to show it."
    if needed <= number:
        return (
            f"Were the difference really this large, {POWER:.0%}".replace("%", f"{NO_BREAK}%")
            + " of tests as large as this one would show it: this one may be one of the others."
        )
    return f"About {_rounded(needed):,} utterances like these would be needed, were the difference really this large."


def letters_sentence(comparison: Comparison) -> str:
    """Say the same of letters in one sentence."""
    letters = comparison.characters
    said = f"Of letters, {change_text(letters, 'errors')}"
    match letters.verdict:
        case "same":
            return "The number of letter errors is the same."
        case "better" | "worse":
            return (
                f"{said}: not luck either." if comparison.words.verdict in ("better", "worse") else f"{said}: not luck."
            )
        case "unsure":
            return f"{said}, which may be luck."
    return f"{said}, on which the two tests disagree."


def counts_sentence(comparison: Comparison) -> str:
    """Say in how many utterances it was better, worse and equal."""
    better, worse, equal = (comparison.count(outcome) for outcome in ("better", "worse", "equal"))
    return f"Better in {counted(better, 'utterance')}, worse in {worse:,}, equal in {equal:,}."


def many_sentence(contents: CompareContents) -> str:
    """Say how the chances of luck are corrected where several runs are compared; "" with one."""
    number = len(contents.comparisons)
    if number < 2:
        return ""
    return (
        f"{number} runs are compared with {contents.baseline.name}, and with every one more, luck has another occasion "
        "to look like a difference. So the chances of luck are corrected: the smallest is multiplied by "
        f"{number}, the next by {number - 1}, and so on (Holm 1979). The ranges are not corrected."
    )


def group_sentence(contents: CompareContents, group: SeedGroup) -> str:
    """Say what training with another seed alone does to the word error rate."""
    names = _listed([contents.runs[number].name for number in group.runs])
    low, high = min(group.word_error_rates), max(group.word_error_rates)
    return (
        f"{names} differ in nothing but the seed: {percent(group.words_mean, 1)} of words wrong on average, between "
        f"{percent(low, 1)} and {percent(high, 1)} (standard deviation {_points(group.words_deviation)})."
    )


def between_groups_sentence(contents: CompareContents, first: SeedGroup, other: SeedGroup) -> str:
    """Say whether what two groups of seeds reach overlaps."""
    low, high = (first, other) if first.words_mean <= other.words_mean else (other, first)
    names = [contents.runs[group.runs[0]].name for group in (low, high)]
    gap = _points(high.words_mean - low.words_mean)
    if max(low.word_error_rates) < min(high.word_error_rates):
        return (
            f"Every seed of the group of {names[0]} makes fewer word errors than every seed of that of {names[1]}; "
            f"their means are {gap} apart."
        )
    return (
        f"The groups of {names[0]} and {names[1]} overlap: with some seeds one is better, with some the other; their "
        f"means are {gap} apart."
    )


def rates_sentence(contents: CompareContents, comparison: Comparison) -> str:
    """Say both word error rates as counts in a hundred."""
    difference = comparison.words.difference
    return (
        f"Of 100 words, {contents.baseline.name} gets about {per_hundred(difference.rate_before)} wrong, "
        f"{contents.runs[comparison.run].name} about {per_hundred(difference.rate)}."
    )


def chance_text(chance: float) -> str:
    """Print a chance of luck: "under 0.1 %", "3.2 %", "41 %"."""
    if chance < 0.001:
        return f"under 0.1{NO_BREAK}%"
    return f"{chance * 100:.1f}{NO_BREAK}%" if chance < 0.1 else f"{chance * 100:.0f}{NO_BREAK}%"


def points_text(change: float) -> str:
    """Print a change of a rate in percentage points, with its sign: "−4.1"."""
    rounded = f"{abs(change) * 100:.1f}"
    return rounded if rounded == "0.0" else f"{'−' if change < 0 else '+'}{rounded}"


def points_interval(interval: Interval | None) -> str:
    """Print the interval of a change in percentage points: "−5.6 to −2.7"; "–" where there is none."""
    return "–" if interval is None else f"{points_text(interval.low)} to {points_text(interval.high)}"


def _points(change: float) -> str:
    return f"{abs(change) * 100:.1f} points"


def _direction(measured: Measured) -> str:
    return "fewer" if measured.difference.num_errors < measured.difference.num_errors_before else "more"


def _number(share: float) -> str:
    hundredth = share * 100
    if hundredth >= 10:
        return f"{hundredth:.0f}"
    # What is next to nothing is not called nothing: "from 0.04 % more" is not "from 0 %".
    return f"{hundredth:.2f}" if 0.005 < hundredth < 0.05 else f"{hundredth:.1f}".removesuffix(".0")


def _whole_percent(share: float) -> str:
    return f"{_number(share)}{NO_BREAK}%"


def _rounded(number: int) -> int:
    """Round to two digits: an estimate of this kind has no more."""
    power = max(0, len(str(number)) - 2)
    return int(round(number, -power))


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
