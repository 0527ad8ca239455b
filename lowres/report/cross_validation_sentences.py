"""A cross-validation over speakers in words: what somebody new can expect, and how much of a figure is the speaker."""

from statistics import fmean

from lowres.report.cross_validation_contents import CrossValidationContents, OfficialResult, Unit
from lowres.report.sentences import per_hundred
from lowres.report.templating import plain
from lowres.scoring.bootstrap import FEW_SPEAKERS

_LONGEST_NAME = 40


def headline(contents: CrossValidationContents) -> str:
    """Say what somebody can expect whom the recogniser has never heard."""
    letters, words = contents.spread("letters"), contents.spread("words")
    return (
        f"For somebody it has never heard, about {per_hundred(words.mean)} of 100 words and "
        f"{per_hundred(letters.mean)} of 100 letters need correcting."
    )


def range_sentence(contents: CrossValidationContents, unit: Unit = "letters") -> str:
    """Say from whom to whom the figure goes."""
    spread = contents.spread(unit)
    if len(contents.results) < 2:
        return f"Only one speaker was measured, {name_of(spread.lowest.speaker)}."
    return (
        f"It depends on the person: from {per_hundred(spread.lowest.rate(unit).error_rate)} of 100 {unit} for "
        f"{name_of(spread.lowest.speaker)} to {per_hundred(spread.highest.rate(unit).error_rate)} for "
        f"{name_of(spread.highest.speaker)}; mean {per_hundred(spread.mean)}, plus or minus "
        f"{per_hundred(spread.deviation)} (standard deviation over {len(contents.results)} speakers)."
    )


def share_sentence(contents: CrossValidationContents, unit: Unit = "letters") -> str:
    """Say how much of a figure is the speaker, and how far that can be believed; "" for a single speaker."""
    spread, num_speakers = contents.spread(unit), len(contents.results)
    if num_speakers < 2:
        return ""
    chance, apart = per_hundred(spread.by_chance), per_hundred(spread.deviation)
    if spread.speaker_share == 0:
        said = (
            f"How much of the figure is the speaker: nothing that could be seen. They lie {apart} of 100 {unit} apart, "
            f"and the luck of their sentences alone would put them {chance} apart."
        )
    else:
        said = (
            f"How much of the figure is the speaker: other sentences of the same person move it by about {chance} of "
            f"100 {unit}, another person by about {apart}. So {spread.speaker_share * 100:.0f} % of the differences "
            "(as variance) are the speaker, with the training that lacked them, and not the luck of their sentences."
        )
    if num_speakers < FEW_SPEAKERS:
        said += f" With {num_speakers} speakers that is a rough figure."
    return said


def official_sentence(contents: CrossValidationContents, unit: Unit = "letters") -> str:
    """Compare with the corpus's own split; "" where no run of the same settings is there."""
    official = contents.official
    if official is None:
        return ""
    theirs = official.letters if unit == "letters" else official.words
    said = (
        f"On the {official.split} split a run of the same settings has {per_hundred(theirs.error_rate)} of 100 {unit} "
        f"wrong; {_who_was_heard(official)}."
    )
    # Other people speak there than here, so only those who were measured both ways tell what being new costs.
    costs = [cost for result in contents.results if (cost := result.cost_of_being_new(unit)) is not None]
    if not costs:
        return said
    who, on_average = "the one speaker measured both ways", ""
    if len(costs) > 1:
        who, on_average = f"the {len(costs)} speakers measured both ways", ", on average"
    if round(fmean(costs), 3) <= 0:
        return f"{said} Being new costs {who} nothing{on_average}."
    return f"{said} Being new costs {who} about {per_hundred(fmean(costs))} more of 100 {unit}{on_average}."


def _who_was_heard(official: OfficialResult) -> str:
    heard, speakers = official.num_heard_speakers, official.num_speakers
    if heard == 0:
        return "none of its speakers is in training there either"
    who = "its only speaker" if speakers == 1 else f"{'all' if heard == speakers else heard} {speakers} of its speakers"
    if 0 < heard < speakers:
        who = f"{heard} of its {speakers} speakers"
    return f"{who} {'is' if heard == 1 else 'are'} heard in training there"


def name_of(speaker: str) -> str:
    """Write a speaker's name into a sentence: foreign text, with its control characters named, and not too long."""
    shown = plain(speaker)
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[:_LONGEST_NAME]}…"
