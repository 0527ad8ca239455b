"""Gathers the data report from a prepared corpus: sums over the whole table, and examples of bounded number."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowres.manifest.corpus import CorpusInfo, PreparedCorpus
from lowres.manifest.findings import column
from lowres.manifest.overlap import speaker_codes
from lowres.manifest.schema import FLAG_SEPARATOR, SPLITS
from lowres.report.data_checks import CHECK_WORDS, SKIPPED
from lowres.report.data_contents import (
    Amount,
    DataContents,
    Found,
    Loss,
    Offender,
    SharedSpeakers,
    SpeakerAmount,
    Unread,
)
from lowres.report.histogram import count_bins
from lowres.report.language_tag import language_tag
from lowres.report.terms import terms

MOST_SPEAKERS: Final = 500
MOST_OFFENDERS: Final = 6
_MOST_GROUPS: Final = 100
_MOST_PLACES: Final = 100
_MOST_REASONS: Final = 20
_MOST_SHARED: Final = 12


def gather_data(
    corpus: PreparedCorpus,
    checks: pd.DataFrame | None,
    *,
    tiers: Sequence[str] = (),
    language: str = "",
    alphabet: bool = True,
) -> DataContents:
    """Gather everything the data report says, in time linear in the corpus.

    Args:
        corpus: as it was prepared.
        checks: as `lowres.manifest.checks.read_checks` gives it; None where there is no checks.tsv, as in a joined
            corpus: the manifest's flags then say what was found.
        tiers: (N,) names in the manifest's order; () where the layout has no tiers.
        language: its name; "" takes what corpus.json says.
        alphabet: whether the recipe declares one, without which its check looks at nothing.
    """
    table, info, has_checks_file = corpus.table, corpus.info, checks is not None
    checks = checks_from_flags(table) if checks is None else checks
    counted = _with_counts(table, tiers)
    used = counted[counted["included"]]
    named = used[used["speaker"] != ""]["speaker"].nunique()
    paced = used[(used["letters"] > 0) & (used["duration_seconds"] > 0)]
    return DataContents(
        name=info.name,
        language=language or info.language,
        language_code=language_tag(info.language),
        transcribed=info.transcribed,
        synthetic=info.synthetic,
        num_utterances=len(table),
        seconds=float(table["duration_seconds"].sum()),
        used=Amount("", len(used), float(used["duration_seconds"].sum()), int(used["words"].sum()), int(named)),
        splits=tuple(sorted(_amounts(used, "split"), key=lambda amount: [*SPLITS, amount.name].index(amount.name))),
        tiers=_amounts(used, "tier") if len(tiers) else (),
        languages=_amounts(used, "language"),
        speakers=_speakers(used, paced),
        num_speakers=int(named),
        durations=count_bins(used["duration_seconds"].to_numpy(dtype=np.float64)),
        paces=count_bins(_pace(paced)),
        found=_found(counted, checks),
        clean=_clean(checks, info, alphabet),
        losses=_losses(table, checks),
        unread=_unread(checks),
        overlaps=_overlaps(table, info),
        warnings=info.warnings,
        splits_origin=info.splits_origin,
        facts=_facts(info),
        has_checks_file=has_checks_file,
    )


def checks_from_flags(table: pd.DataFrame) -> pd.DataFrame:
    """Make of the manifest's flags what checks.tsv says, without the details: for a joined corpus, which has none."""
    flagged = table[table["flags"] != ""]
    checks = flagged.assign(check=flagged["flags"].str.split(FLAG_SEPARATOR)).explode("check")
    severity = np.where(checks["included"], "warn", "drop")
    made = pd.DataFrame(
        {"check": checks["check"].to_numpy(), "severity": severity, "utterance_id": checks["utterance_id"].to_numpy()}
    )
    # A check that was given both ways for utterances that others left out leaves out only where all it names are.
    kept = set(made.loc[made["severity"] == "warn", "check"])
    return made.assign(severity=np.where(made["check"].isin(list(kept)), "warn", "drop"), detail="").astype("str")


def _with_counts(table: pd.DataFrame, tiers: Sequence[str]) -> pd.DataFrame:
    """Add (N,) letters and words of the text, and the tier."""
    texts = table["text"].tolist()
    letters = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    words = np.fromiter((len(text.split()) for text in texts), dtype=np.int64, count=len(texts))
    return table.assign(letters=letters, words=words, tier=list(tiers) if len(tiers) else "")


def _pace(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return letters a second, spaces counted, as the check of the pace counts them."""
    return column(rows, "letters") / column(rows, "duration_seconds")


def _amounts(used: pd.DataFrame, by: str) -> tuple[Amount, ...]:
    """Sum by a column, most speech first; what goes beyond the first hundred is one line."""
    speakers = used["speaker"].where(used["speaker"] != "")
    sums = (
        used.assign(named=speakers)
        .groupby(by, sort=True)
        .agg(
            num=("duration_seconds", "size"),
            seconds=("duration_seconds", "sum"),
            words=("words", "sum"),
            speakers=("named", "nunique"),
        )
    )
    sums = sums.sort_values("seconds", ascending=False, kind="stable")
    rows = [Amount(str(row[0]), int(row[1]), float(row[2]), int(row[3]), int(row[4])) for row in sums.itertuples()]
    rest = rows[_MOST_GROUPS:]
    if not rest:
        return tuple(rows)
    beyond = Amount(
        f"and {len(rest):,} more",
        sum(row.num_utterances for row in rest),
        sum(row.seconds for row in rest),
        sum(row.num_words for row in rest),
        int(speakers[used[by].isin([row.name for row in rest])].nunique()),
    )
    return (*rows[:_MOST_GROUPS], beyond)


def _speakers(used: pd.DataFrame, paced: pd.DataFrame) -> tuple[SpeakerAmount, ...]:
    """Sum by speaker, most speech first."""
    sums = used.groupby("speaker", sort=True)["duration_seconds"].agg(["size", "sum"])
    sums = sums.sort_values("sum", ascending=False, kind="stable").iloc[:MOST_SPEAKERS]
    per_split: dict[str, dict[str, float]] = {}
    by_split = used.groupby(["speaker", "split"])["duration_seconds"].sum().reset_index()
    for speaker, split, seconds in by_split.itertuples(index=False, name=None):
        per_split.setdefault(speaker, {})[split] = float(seconds)
    paces = pd.Series(_pace(paced)).groupby(paced["speaker"].to_numpy()).median().to_dict()
    return tuple(
        SpeakerAmount(
            name,
            int(num),
            float(seconds),
            {str(split): per_split[name].get(split, 0.0) for split in SPLITS},
            float(paces[name]) if name in paces else None,
        )
        for name, num, seconds in sums.itertuples(name=None)
    )


def _found(counted: pd.DataFrame, checks: pd.DataFrame) -> tuple[Found, ...]:
    about_utterances = checks[checks["check"] != SKIPPED]
    places = pd.Index(counted["utterance_id"]).get_indexer(pd.Index(about_utterances["utterance_id"]))
    known = about_utterances.assign(place=places)[places >= 0]
    found = []
    for check, rows in known.groupby("check", sort=False):
        seconds = float(counted["duration_seconds"].iloc[rows["place"].to_numpy()].sum())
        is_left_out = bool((rows["severity"] == "drop").all())
        chosen = rows.iloc[_choose(str(check), counted, rows["place"].to_numpy())]
        found.append(Found(str(check), is_left_out, len(rows), seconds, _offenders(counted, chosen)))
    return tuple(sorted(found, key=lambda one: (not one.is_left_out, -one.num_utterances, one.check)))


def _choose(check: str, counted: pd.DataFrame, places: npt.NDArray[np.int64]) -> list[int]:
    """Choose a few of the utterances at `places`: the most extreme, or else some from all over the corpus."""
    match check:
        case "too-long":
            extreme = column(counted, "duration_seconds")[places]
        case "pace":
            pace = np.log(
                np.maximum(column(counted, "letters"), 1) / np.maximum(column(counted, "duration_seconds"), 1e-3)
            )
            extreme = np.abs(pace - np.median(pace))[places]
        case _:
            spread = np.linspace(0, len(places) - 1, min(MOST_OFFENDERS, len(places)))
            return [int(place) for place in np.unique(spread.astype(np.int64))]
    return [int(place) for place in np.argsort(-extreme, kind="stable")[:MOST_OFFENDERS]]


def _offenders(table: pd.DataFrame, chosen: pd.DataFrame) -> tuple[Offender, ...]:
    columns = ["utterance_id", "speaker", "split", "duration_seconds", "raw_text", "text"]
    rows = table[columns].iloc[chosen["place"].to_numpy()]
    return tuple(
        Offender(name, speaker, split, seconds, raw_text, text, detail)
        for (name, speaker, split, seconds, raw_text, text), detail in zip(
            rows.itertuples(index=False, name=None), chosen["detail"].tolist(), strict=True
        )
    )


def _clean(checks: pd.DataFrame, info: CorpusInfo, alphabet: bool) -> tuple[str, ...]:
    loud = set(checks["check"])
    silent = [
        name for name, words in CHECK_WORDS.items() if name not in loud and (info.transcribed or not words.of_text)
    ]
    return tuple(name for name in silent if name != SKIPPED and (alphabet or name != "undeclared-symbols"))


def _losses(table: pd.DataFrame, checks: pd.DataFrame) -> tuple[Loss, ...]:
    lost = table.loc[~table["included"], ["utterance_id", "duration_seconds"]]
    dropped = checks[(checks["severity"] == "drop") & (checks["check"] != SKIPPED)]
    first = dropped.drop_duplicates("utterance_id").set_index("utterance_id")["check"].to_dict()
    reasons = np.array([first.get(name, "") for name in lost["utterance_id"].tolist()], dtype=object)
    sums = lost.groupby(reasons)["duration_seconds"].agg(["size", "sum"])
    losses = [Loss(str(row[0]), int(row[1]), float(row[2])) for row in sums.itertuples()]
    return tuple(sorted(losses, key=lambda loss: -loss.num_utterances))


def _unread(checks: pd.DataFrame) -> tuple[Unread, ...]:
    skipped = checks[checks["check"] == SKIPPED]
    # "has no recording (a.wav)" and "has no recording (b.wav)" are one reason.
    reasons = skipped["detail"].str.replace(r"\s*\([^()]*\)$", "", regex=True).to_numpy()
    groups = [
        Unread(str(reason), len(rows), tuple(rows["utterance_id"].iloc[:_MOST_PLACES]))
        for reason, rows in skipped.groupby(reasons, sort=False)
    ]
    groups.sort(key=lambda group: -group.num_places)
    rest = groups[_MOST_REASONS:]
    if not rest:
        return tuple(groups)
    others = Unread(f"{len(rest):,} other reasons", sum(group.num_places for group in rest), ())
    return (*groups[:_MOST_REASONS], others)


def _overlaps(table: pd.DataFrame, info: CorpusInfo) -> tuple[SharedSpeakers, ...]:
    codes, splits = speaker_codes(table), table["split"].to_numpy(dtype=object)
    included = table["included"].to_numpy(dtype=bool)
    shared = []
    for pair in info.overlap.pairs:
        first, second = (np.unique(codes[included & (splits == name)]) for name in (pair.first, pair.second))
        both = np.intersect1d(first, second)
        both = both[both >= 0][:_MOST_SHARED]
        names = [str(table["speaker"].iloc[int(np.argmax(codes == code))]) for code in both]
        shared.append(SharedSpeakers(pair, tuple(names)))
    return tuple(shared)


def _facts(info: CorpusInfo) -> tuple[tuple[str, str], ...]:
    stated = [
        *terms(info.licence, info.consent),
        ("Source", info.source),
        ("Citation", info.citation),
        ("Recipe", info.recipe_name),
        ("Prepared with", f"lowres {info.created_with}"),
        ("Training subsets", ", ".join(info.subset_sha256)),
        ("Manifest (sha256)", info.manifest_sha256),
    ]
    return tuple((name, value) for name, value in stated if value)
