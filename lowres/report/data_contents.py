"""What the data report says of a prepared corpus, as plain data: amounts, distributions, findings, overlap, consent."""

from dataclasses import dataclass

from lowres.manifest.overlap import PairOverlap
from lowres.report.histogram import Bins


@dataclass(frozen=True)
class Amount:
    """Usable speech of one split, tier or language.

    Attributes:
        name: of it; "" where nobody said.
        num_utterances, seconds, num_words: of the utterances that are used.
        num_speakers: of those that are named.
    """

    name: str
    num_utterances: int
    seconds: float
    num_words: int
    num_speakers: int


@dataclass(frozen=True)
class SpeakerAmount:
    """Usable speech of one speaker.

    Attributes:
        name: "" where nobody said.
        num_utterances, seconds: in all; `seconds_per_split` by the split's name.
        letters_per_second: the median of the utterances; None without transcripts.
    """

    name: str
    num_utterances: int
    seconds: float
    seconds_per_split: dict[str, float]
    letters_per_second: float | None


@dataclass(frozen=True)
class Offender:
    """One utterance that a check names; `detail` is what the check says of it."""

    utterance_id: str
    speaker: str
    split: str
    seconds: float
    raw_text: str
    text: str
    detail: str


@dataclass(frozen=True)
class Found:
    """What one check found.

    Attributes:
        check: its name in checks.tsv.
        is_left_out: whether what it names is used nowhere.
        num_utterances, seconds: of all that it names.
        offenders: some of them, to look at and to listen to.
    """

    check: str
    is_left_out: bool
    num_utterances: int
    seconds: float
    offenders: tuple[Offender, ...]


@dataclass(frozen=True)
class Loss:
    """Speech that is used nowhere, by the first check that left it out; every utterance is counted once."""

    check: str
    num_utterances: int
    seconds: float


@dataclass(frozen=True)
class Unread:
    """Places of the corpus that never became utterances, for one reason; `places` are the first of them."""

    reason: str
    num_places: int
    places: tuple[str, ...]


@dataclass(frozen=True)
class SharedSpeakers:
    """What two splits share, and the names of the first of the shared speakers."""

    pair: PairOverlap
    speakers: tuple[str, ...]


@dataclass(frozen=True)
class DataContents:
    """Everything the page and the JSON file are written from.

    Attributes:
        name, language: of the corpus, as people call them; `language_code` is the tag of its transcripts, or "".
        transcribed, synthetic: see `CorpusInfo`.
        num_utterances, seconds: of all rows of the manifest; `used` is the part that can be used.
        splits, tiers, languages: usable speech by each; tiers are empty where the layout has none.
        speakers: those with most speech first, at most `MOST_SPEAKERS`; num_speakers counts all that are named.
        durations, paces: seconds, and letters a second, of the usable utterances; None where there are none.
        found: what the checks found, what is left out first; clean: names of checks that found nothing.
        losses, unread: what was lost where.
        overlaps: what the splits share.
        warnings: everything that `lowres prepare` warned about.
        splits_origin: "given" or "made".
        facts: (name, value) pairs: licence, consent, source ...
        has_checks_file: False for a joined corpus, which has no checks.tsv: nothing says what was never read.
    """

    name: str
    language: str
    language_code: str
    transcribed: bool
    synthetic: bool
    num_utterances: int
    seconds: float
    used: Amount
    splits: tuple[Amount, ...]
    tiers: tuple[Amount, ...]
    languages: tuple[Amount, ...]
    speakers: tuple[SpeakerAmount, ...]
    num_speakers: int
    durations: Bins | None
    paces: Bins | None
    found: tuple[Found, ...]
    clean: tuple[str, ...]
    losses: tuple[Loss, ...]
    unread: tuple[Unread, ...]
    overlaps: tuple[SharedSpeakers, ...]
    warnings: tuple[str, ...]
    splits_origin: str
    facts: tuple[tuple[str, str], ...]
    has_checks_file: bool = True

    @property
    def lost_seconds(self) -> float:
        """Speech that was read and is used nowhere."""
        return sum(loss.seconds for loss in self.losses)

    @property
    def num_unread(self) -> int:
        """Places of the corpus that never became utterances."""
        return sum(reason.num_places for reason in self.unread)

    def offenders(self) -> list[Offender]:
        """Return the utterances to listen to, one of each check in turn, so that a small page holds some of each."""
        longest = max((len(found.offenders) for found in self.found), default=0)
        return [found.offenders[i] for i in range(longest) for found in self.found if i < len(found.offenders)]
