"""What to know before a comparison is quoted: seeds, few utterances, one speaker, other decoding, old reports."""

from collections.abc import Sequence

from lowres.report.compare_contents import CompareContents
from lowres.report.contents import Caution
from lowres.scoring.bootstrap import FEW_SPEAKERS
from lowres.text.audit_tally import counted

FEW_UTTERANCES = 20
"""With fewer than these, redrawing calls luck a difference more often than in 5 of 100 tests."""


def compare_cautions(
    contents: CompareContents, *, unfinished: Sequence[str] = (), out_of_date: Sequence[str] = ()
) -> list[Caution]:
    """List what speaks against a comparison, the serious first.

    Args:
        contents: the comparison, its cautions not yet known.
        unfinished: runs that have not ended, or have collapsed.
        out_of_date: runs that were trained on since their report was written.
    """
    found = [
        *(Caution("not trained to its end", f"{name} has not trained to its end.") for name in unfinished),
        *_about_reports(contents, out_of_date),
        *_about_seeds(contents),
        *_about_text(contents),
    ]
    return sorted(found, key=lambda caution: not caution.serious)


def _about_reports(contents: CompareContents, out_of_date: Sequence[str]) -> list[Caution]:
    found = []
    if contents.synthetic:
        found.append(Caution("synthetic speech", "A machine spoke these recordings."))
    for name in out_of_date:
        found.append(
            Caution(
                "report of earlier weights",
                f"{name} was trained on after its report was written; evaluate it again to compare what it is now.",
            )
        )
    if contents.num_left_out:
        are, them = ("is", "it") if contents.num_left_out == 1 else ("are", "them")
        found.append(
            Caution(
                "utterances left out",
                f"{counted(contents.num_left_out, 'utterance')} {are} not compared: not all runs were scored on {them} "
                "against the same reference.",
            )
        )
    outcomes = {setting.key: setting.values for setting in contents.outcomes}
    if len({value.startswith("greedy") for value in outcomes.get("Decoding", ())}) > 1:
        found.append(
            Caution(
                "decoded in different ways",
                "Some of these runs were decoded with a language model and some without: part of the difference is the "
                "language model's. `lowres evaluate --lm none` scores without.",
            )
        )
    if contents.split == "dev":
        found.append(
            Caution(
                "scored on dev",
                "Dev also chose which checkpoint of each run to keep; an untouched test split would be fairer.",
                serious=False,
            )
        )
    return found


def _about_seeds(contents: CompareContents) -> list[Caution]:
    in_groups = {number for group in contents.groups for number in group.runs}
    found = [
        Caution(
            "only the seed differs",
            f"{contents.runs[one.run].name} is {contents.baseline.name} trained with another seed: what differs is the "
            "luck of training, even where it is not the luck of these utterances.",
        )
        for one in contents.comparisons
        if one.differs_in_seed_only
    ]
    if len(in_groups) < len(contents.runs):
        found.append(
            Caution(
                "one seed",
                "Training again with another seed moves the figures too, which the tests of luck here know nothing of; "
                "“lowres finetune --seeds 3” shows by how much.",
                serious=False,
            )
        )
    return found


def _about_text(contents: CompareContents) -> list[Caution]:
    number, speakers = len(contents.text.utterance_ids), set(contents.text.speakers) - {""}
    found = []
    if number < FEW_UTTERANCES:
        were = "was" if number == 1 else "were"
        found.append(
            Caution(
                "few utterances",
                f"Only {counted(number, 'utterance')} {were} compared: too few for ranges and chances of luck to be "
                "exact.",
            )
        )
    if len(speakers) == 1 and "" not in contents.text.speakers:
        found.append(
            Caution("one speaker", "Everything was said by one person; with others it may be different.", serious=False)
        )
    elif 0 < len(speakers) < FEW_SPEAKERS:
        named = "person is named as a speaker" if len(speakers) == 1 else "people are named as speakers"
        found.append(
            Caution(
                "few speakers",
                f"Only {len(speakers)} {named}: whether it holds for others is a rough guess.",
                serious=False,
            )
        )
    return found
