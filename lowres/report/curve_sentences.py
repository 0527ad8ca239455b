"""The learning curve in words: how many more hours, what twice as much brings, and how far both can be believed."""

import math

from lowres.report.curve_contents import CurveContents, LastChecked, Target, Unit
from lowres.report.sentences import per_hundred
from lowres.scoring.power_law import FEWEST_POINTS, GUESS_FACTOR, HoursNeeded, PowerLaw
from lowres.scoring.usefulness import SURELY_HELPFUL_WORD_ERROR_RATE

_GUESS = (
    f"That is more than {GUESS_FACTOR:g} times what was measured, so it is a guess: curves often bend, and other "
    "speakers or topics bend them too."
)


def amount_text(hours: float) -> str:
    """Write an amount of speech as people say it: "10 minutes", "1.5 hours", "80 hours"."""
    minutes = hours * 60
    if minutes < 59.5:
        return "1 minute" if round(minutes) == 1 else f"{minutes:.0f} minutes"
    number = f"{hours:,.0f}" if hours >= 10 else f"{hours:.1f}".removesuffix(".0")
    return "1 hour" if number == "1" else f"{number} hours"


def answer_target(contents: CurveContents) -> str:
    """Say how many more hours of transcribed speech bring the error rate down to the target."""
    target = contents.target
    goal = f"{per_hundred(target.error_rate)} of 100 {target.unit}"
    measured = contents.largest.rate(target.unit).error_rate
    if measured <= target.error_rate:
        with_hours = amount_text(contents.most_hours)
        return f"No more than {goal} wrong: that is reached. With {with_hours}, {per_hundred(measured)} are."
    law = contents.law(target.unit)
    if law is None:
        return _too_few(contents)
    return _hours_sentence(law, target, goal, contents.most_hours)


def _hours_sentence(law: PowerLaw, target: Target, goal: str, most_hours: float) -> str:
    needed = law.hours_until(target.error_rate)
    if not needed.hours < 1000 * most_hours:
        said = f"More of the same speech will hardly bring it down to {goal} wrong: the curve flattens before."
        if math.isfinite(needed.low):
            said += f" It would take at least {amount_text(max(needed.low - most_hours, 0))} more."
        return said
    more = needed.hours - most_hours
    if more <= 0:  # the run of most hours lies above the curve
        return (
            f"No more than {goal} wrong: the curve is there about now, with {amount_text(most_hours)} "
            f"({_range_of_hours(needed, most_hours, ' more')})."
        )
    said = (
        f"About {amount_text(more)} more of transcribed speech until only {goal} are wrong "
        f"({_range_of_hours(needed, most_hours)})."
    )
    return f"{said} {_GUESS}" if law.is_guess(needed.hours) else said


def _range_of_hours(needed: HoursNeeded, most_hours: float, more: str = "") -> str:
    """Say how many hours beyond `most_hours` it may take; `more` follows amounts, where nothing before it says so."""
    low, high = needed.low - most_hours, needed.high - most_hours
    at_least = "perhaps none" if low <= 0 else f"at least {amount_text(low)}{more}"
    if not high < 1000 * most_hours:
        return f"{at_least}, and perhaps it never comes down so far"
    if low <= 0:
        return f"at most {amount_text(max(high, 1 / 60))}{more}"
    return f"between {amount_text(low)} and {amount_text(high)}{more}"


def answer_double(contents: CurveContents, unit: Unit = "letters") -> str:
    """Say what twice as much training speech would bring."""
    law = contents.law(unit)
    if law is None:
        return ""
    twice = 2 * contents.most_hours
    predicted = law.predict(twice)
    now = contents.largest.rate(unit).error_rate
    low, high = per_hundred(predicted.low), per_hundred(predicted.high)
    about = per_hundred(predicted.error_rate)
    return (
        f"Twice as much, {amount_text(twice)}, would bring about {about} of 100 {unit} wrong "
        f"(between {low} and {high}), where {amount_text(contents.most_hours)} brought {per_hundred(now)}."
    )


def answer_until_useful(contents: CurveContents) -> str:
    """Say when drafts will surely be worth correcting; "" where they are, or where no curve says so."""
    law, most_hours = contents.words_law, contents.most_hours
    if law is None or contents.largest.words.error_rate < SURELY_HELPFUL_WORD_ERROR_RATE:
        return ""
    needed = law.hours_until(SURELY_HELPFUL_WORD_ERROR_RATE)
    goal = "Fewer than 30 of 100 words wrong, where everybody who was timed gained from a draft"
    if not needed.hours < 1000 * most_hours:
        return f"{goal}: by this curve alone, more of the same speech hardly leads there."
    more = amount_text(max(needed.hours - most_hours, 1 / 60))
    said = f"{goal}: about {more} more ({_range_of_hours(needed, most_hours)})."
    return f"{said} That is a guess." if law.is_guess(needed.hours) else said


def check_sentence(checked: LastChecked | None, unit: Unit) -> str:
    """Say whether the smaller amounts alone would have predicted the largest; "" where they are too few."""
    if checked is None:
        return ""
    predicted = checked.predicted
    about, low, high = (per_hundred(rate) for rate in (predicted.error_rate, predicted.low, predicted.high))
    verdict = "inside that range" if checked.is_inside else "outside that range: do not lean on the curve"
    return (
        f"Tried on itself: the smaller amounts alone predict about {about} of 100 {unit} wrong at "
        f"{amount_text(checked.hours)} (between {low} and {high}); measured were {per_hundred(checked.measured)}, "
        f"{verdict}."
    )


def formula(law: PowerLaw) -> str:
    """Write a fitted curve as a formula, rates in percent."""
    floor = f" + {law.floor * 100:.1f}" if law.floor else ""
    return f"{law.scale * 100:.1f} × hours^−{law.exponent:.2f}{floor}"


def _too_few(contents: CurveContents) -> str:
    different = len({point.hours for point in contents.points})
    return (
        f"No curve can be drawn through {different} {'amount' if different == 1 else 'amounts'} of speech: "
        f"it takes {FEWEST_POINTS}."
    )
