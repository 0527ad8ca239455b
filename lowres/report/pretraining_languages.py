"""What a pretraining run learnt from, language by language: the speech there is, drawn, and held out."""

from dataclasses import dataclass

from lowres.report.pretraining_run import PretrainingRun, TrainedCorpus
from lowres.report.pretraining_verdict import BEGINS_FROM, chance_accuracy
from lowres.report.run_log import mapping_of, number_of


@dataclass(frozen=True)
class TrainedLanguage:
    """One language of the mixture and its corpora; shares are 0-1, None where they are not known."""

    name: str
    corpora: tuple[TrainedCorpus, ...]
    hours: float
    num_utterances: int
    aimed_share: float | None
    hours_drawn: float | None
    drawn_share: float | None

    @property
    def times_heard(self) -> float | None:
        """How often each hour was heard on average; None where nothing is known."""
        return self.hours_drawn / self.hours if self.hours_drawn is not None and self.hours > 0 else None


@dataclass(frozen=True)
class HeldOutLanguage:
    """The first and the latest figures of one language's held-out speech; None where there are none."""

    name: str
    num_frames: int
    first_loss: float | None
    loss: float | None
    accuracy: float | None
    times_chance: float | None

    @property
    def is_guessed(self) -> bool:
        """Whether its sounds are told apart little better than by guessing."""
        return self.times_chance is not None and self.times_chance < BEGINS_FROM


def trained_languages(run: PretrainingRun) -> list[TrainedLanguage]:
    """Put the corpora of run.json together by language, in its order, beside the hours that were drawn."""
    by_language: dict[str, list[TrainedCorpus]] = {}
    for corpus in run.corpora:
        by_language.setdefault(corpus.language, []).append(corpus)
    for language in run.hours_drawn:
        by_language.setdefault(language, [])
    total = sum(run.hours_drawn.values())
    return [_trained(name, tuple(corpora), run.hours_drawn, total) for name, corpora in by_language.items()]


def _trained(
    name: str, corpora: tuple[TrainedCorpus, ...], hours_drawn: dict[str, float], total: float
) -> TrainedLanguage:
    shares = [corpus.share for corpus in corpora if corpus.share is not None]
    drawn = hours_drawn.get(name, 0.0) if hours_drawn else None
    return TrainedLanguage(
        name=name,
        corpora=corpora,
        hours=sum(corpus.hours for corpus in corpora),
        num_utterances=sum(corpus.num_utterances for corpus in corpora),
        aimed_share=sum(shares) if shares else None,
        hours_drawn=drawn,
        drawn_share=drawn / total if drawn is not None and total > 0 else None,
    )


def held_out_languages(run: PretrainingRun) -> list[HeldOutLanguage]:
    """Return what every language's held-out speech showed at first and at last."""
    chance = chance_accuracy(run.num_distractors)
    found = []
    for name in run.held_out_languages:
        losses = run.held_out_curve(name, "contrastive_loss")
        accuracies = run.held_out_curve(name, "contrastive_accuracy")
        accuracy = accuracies[-1].value if accuracies else None
        sizes = [
            mapping_of(mapping_of(event.get("held_out")).get(name)).get("num_frames") for event in run.log.evaluations
        ]
        found.append(
            HeldOutLanguage(
                name=name,
                num_frames=round(max((number_of(size) or 0.0 for size in sizes), default=0.0)),
                first_loss=losses[0].value if losses else None,
                loss=losses[-1].value if losses else None,
                accuracy=accuracy,
                times_chance=None if accuracy is None else accuracy / chance,
            )
        )
    return found
