"""The walk's questions about training: what is tested on, what training starts from, and how long it may take."""

from collections import Counter
from typing import Any, Final

import pandas as pd
from pydantic import TypeAdapter

from lowres.backbones.bundled import BUNDLED_NAME
from lowres.errors import CorpusError, LowresError, RecipeError
from lowres.manifest.overlap import count
from lowres.manifest.settings import SplitSettings
from lowres.manifest.splits import SplitResult, assign_splits
from lowres.recipe import Recipe
from lowres.stages.backbones import list_backbones
from lowres.stages.default_backbone import NO_BACKBONE, default_backbone
from lowres.stages.start_answers import SpeedAnswer, find_speed
from lowres.stages.start_asking import Ask, Choice, Question
from lowres.stages.start_recipe import resolve_recipe
from lowres.stages.start_trial import sample_rows, try_backbone
from lowres.stages.start_walk import Walk

_AUTO, _MAKE, _SPEAKERS = "auto", "make", "test_speakers"
_SPLITS: Final = {
    "train": "is learnt from",
    "dev": "chooses the best moment of training",
    "test": "is only measured on",
}
_ROUND_MINUTES: Final = (1, 2, 3, 5, 10, 15, 20, 30, 45, 60)
_LEAST_MINUTES: Final = 0.02


def ask_splits(walk: Walk, ask: Ask) -> dict[str, Any]:
    """Show how the speech would be divided, and ask whether so, anew, or with speakers of one's choice to test on."""
    table = walk.table()
    usual = assign_splits(table, SplitSettings())
    _show_splits(table, usual, ask)
    speakers = Counter(table.loc[table["included"], "speaker"].replace("", pd.NA).dropna().tolist())
    choices = [Choice(_AUTO, "as shown")]
    if usual.origin == "given":
        choices.append(Choice(_MAKE, "forget the given splits and make new ones"))
    if len(speakers) > 1:
        choices.append(Choice(_SPEAKERS, "test on speakers that I name, and on nobody else"))
    earlier = walk.answers.splits or {}
    default = _SPEAKERS if "test_speakers" in earlier else str(earlier.get("method", _AUTO))
    title, why = "How shall it be divided?", "What is tested on must never have been learnt from."
    given = ask.ask(Question(title, why, default=default, choices=tuple(choices)))
    if given == _AUTO:
        return {"splits": {}}
    splits = {"method": "make"} if given == _MAKE else {"test_speakers": _ask_speakers(speakers, earlier, ask)}
    settings = _split_settings(splits)
    _show_splits(table, assign_splits(table, settings), ask)
    return {"splits": splits}


def _ask_speakers(speakers: Counter[str], earlier: dict[str, Any], ask: Ask) -> list[str]:
    named = [Choice(name, f"{name}  ({count(number, 'utterance')})") for name, number in speakers.most_common()]
    usual = min(speakers, key=lambda name: (speakers[name], name))
    default = "\n".join(earlier.get("test_speakers", [usual]))
    title, why = "Who is tested on?", "All speech of theirs is set apart; the others train."
    while len(given := ask.ask_several(Question(title, why, default=default, choices=tuple(named)))) == len(speakers):
        ask.show_problem(CorpusError("Nobody would be left to learn from.", "Choose fewer."))
    return list(given)


def _show_splits(table: pd.DataFrame, result: SplitResult, ask: Ask) -> None:
    used = table.assign(split=result.splits)[table["included"]]
    rows = []
    for split, purpose in _SPLITS.items():
        part = used[used["split"] == split]
        if len(part):
            speakers = part.loc[part["speaker"] != "", "speaker"].nunique()
            hours = f"{part['duration_seconds'].sum() / 3600:.2f}"
            rows.append((split, f"{len(part):,}", hours, str(speakers or "not known"), purpose))
    came = "as they came with the corpus" if result.origin == "given" else "made here"
    ask.say(f"The speech is divided into {count(len(rows), 'part')}, {came}:")
    ask.show_rows(("", "utterances", "hours", "speakers", ""), rows)
    if result.speaker_disjoint:
        ask.say("Nobody is both learnt from and tested on.")
    for warning in result.warnings[:3]:
        ask.say(f"- {warning}")


def _split_settings(splits: dict[str, Any]) -> SplitSettings:
    settings: SplitSettings = TypeAdapter(SplitSettings).validate_python(splits)
    return settings


def training_speech(walk: Walk) -> tuple[float, float]:
    """Return the hours of training speech there will be, and the mean seconds of its utterances."""
    table = walk.table()
    settings = _split_settings(walk.answers.splits or {})
    chosen = table[table["included"] & (assign_splits(table, settings).splits == "train")]
    seconds = float(chosen["duration_seconds"].sum())
    return seconds / 3600, seconds / max(len(chosen), 1)


def list_candidates() -> list[str]:
    """List what training may start from on this computer without a download: the usual one first."""
    here = [one.entry.name for one in list_backbones() if one.folder is not None]
    usual = default_backbone_name()
    return [usual, *(name for name in here if name != usual)]


def default_backbone_name() -> str:
    """Return what fine-tuning starts from where a recipe does not say."""
    usual = default_backbone(Recipe())
    return usual.reference if usual else NO_BACKBONE


def ask_backbone(walk: Walk, ask: Ask) -> dict[str, Any]:
    """Time every backbone that is here on this machine and this speech, and ask which to start from."""
    speeds = walk.answers.speeds or _measure(walk, ask)
    candidates = list_candidates()
    listed = [_describe(name, find_speed(speeds, name)) for name in candidates]
    if BUNDLED_NAME in candidates:
        listed.append(Choice(NO_BACKBONE, "none: a small network that begins knowing nothing"))
    hint = "Larger ones make fewer errors and need a graphics card or patience: `lowres backbones` lists them."
    title = "What does training start from?"
    why = f"A backbone has heard other speech before and has less to learn. {hint}"
    given = ask.ask(Question(title, why, default=walk.answers.backbone or candidates[0], choices=tuple(listed)))
    return {"backbone": given, "speeds": tuple(speeds)}


def _describe(name: str, speed: SpeedAnswer | None) -> Choice:
    if speed is None:
        return Choice(name, f"{name}: could not be tried on this machine")
    details = (
        f"{speed.million_parameters:g} million parameters",
        f"measured here: {speed.hours_per_hour:,.0f} hours of speech learnt from in an hour",
        f"so the usual training would take {describe_minutes(usual_minutes(speed))}",
    )
    return Choice(name, name, details)


def _measure(walk: Walk, ask: Ask) -> list[SpeedAnswer]:
    """Try each backbone; one that cannot be tried is said, and goes without a figure."""
    folder, _ = walk.located()
    rows = sample_rows(walk.table(), walk.reading().rows)
    hours, mean_seconds = training_speech(walk)
    recipe = resolve_recipe(walk)
    speeds = []
    for name in list_candidates():
        try:
            with ask.working(f"trying {name} on this machine for ten seconds") as progress:
                speeds.append(
                    try_backbone(folder, rows, recipe, name, progress, hours=hours, mean_seconds=mean_seconds)
                )
        except LowresError as problem:
            ask.show_problem(problem)
    return speeds


def usual_minutes(speed: SpeedAnswer) -> float:
    """Return how long the usual training would take at a measured speed."""
    return 60 * speed.usual_hours / max(speed.hours_per_hour, 1e-9)


def describe_minutes(minutes: float) -> str:
    """Write an amount of time as people say it."""
    if minutes < 0.95:
        return count(max(round(minutes * 60), 1), "second")
    if minutes < 90:
        return count(round(minutes), "minute")
    return f"{minutes / 60:.1f} hours" if minutes < 48 * 60 else f"{minutes / 60 / 24:.0f} days"


def suggest_minutes(speed: SpeedAnswer | None) -> float:
    """Suggest a round time to train in: as long as is usual, and an hour at the most."""
    if speed is None:
        return 30.0
    usual = usual_minutes(speed)
    return float(min(_ROUND_MINUTES, key=lambda minutes: abs(minutes - usual)))


def ask_minutes(walk: Walk, ask: Ask) -> dict[str, Any]:
    """Ask how long to train."""
    speed = find_speed(walk.answers.speeds, walk.answers.backbone)
    default = walk.answers.minutes or suggest_minutes(speed)
    hours, _ = training_speech(walk)
    if speed is not None and hours > 0:
        times = speed.hours_per_hour * default / 60 / hours
        speech = f"the {describe_minutes(hours * 60)} of training speech"
        heard = f"{speech} about {count(round(times), 'time')}" if times >= 1 else f"{times:.0%} of {speech}"
        usual = describe_minutes(usual_minutes(speed))
        ask.say(f"In {describe_minutes(default)} it would hear {heard}; the usual training takes {usual}.")
    given = ask.ask(
        Question(
            "How many minutes may training take?",
            "The learning is fitted into that time; more is better up to the usual time. It can be stopped at any "
            "moment and gone on with.",
            default=f"{default:g}",
            check=_read_minutes,
        )
    )
    return {"minutes": float(given)}


def _read_minutes(typed: str) -> str:
    try:
        minutes = float(typed.replace(",", "."))
    except ValueError:
        minutes = -1.0
    if not _LEAST_MINUTES <= minutes <= 60 * 24 * 60:
        raise RecipeError(f"{typed!r} is not a time in minutes.", "Type a number, such as 20.")
    return f"{minutes:g}"
