"""What a recipe may say about splits and checks, and the names both use. Imports no pandas: recipes read this."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

SplitName = Literal["train", "dev", "test", "other"]

TRAIN: Final = "train"
DEV: Final = "dev"
TEST: Final = "test"
OTHER: Final = "other"

CHECK_NAMES: Final = (
    "unreadable",
    "empty-audio",
    "silent",
    "clipped",
    "band-limited",
    "too-long",
    "overlapping-speech",
    "duplicate-audio",
    "empty-text",
    "undeclared-symbols",
    "pace",
    "duplicate-text",
    "misfit",
    "too-short-for-ctc",
    "sentence-in-train",
)


@dataclass(frozen=True, kw_only=True)
class SplitSettings:
    """How splits come about; the recipe's section [splits].

    Attributes:
        method: "auto" keeps splits that were given and makes them where none were; "given" never makes any; "make"
            always does.
        train, dev, test: which of the given splits (train, dev, test, other) make up each of ours. `train = ["train",
            "dev"]` with `dev = []` trains on both, as some published figures do. No given split in two of ours.
        dev_when_missing_share: where the given splits have a test but leave no dev, this share (0-0.5) of training's
            duration is held out to choose checkpoints by; 0 holds nothing out.
        train_share, dev_share, test_share: shares of the duration of splits that are made (0-1, together 1).
        test_speakers: speakers whose speech is all test, and who alone are: how well is somebody new recognised? What
            was given as test of others goes to "other".
        max_set_aside_share: sentences that speakers of two splits both said are set aside (split "other") as long as
            that costs at most this share (0-1) of all speech; beyond it they stay, and a warning says so.
    """

    method: Literal["auto", "given", "make"] = "auto"
    train: tuple[str, ...] = (TRAIN,)
    dev: tuple[str, ...] = (DEV,)
    test: tuple[str, ...] = (TEST,)
    dev_when_missing_share: float = 0.05
    train_share: float = 0.8
    dev_share: float = 0.1
    test_share: float = 0.1
    max_set_aside_share: float = 0.1
    test_speakers: tuple[str, ...] = ()

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse shares that do not add up and given splits that would be in two of ours."""
        named = Counter((*self.train, *self.dev, *self.test))
        twice = [name for name, times in named.items() if times > 1]
        if twice:
            raise ValueError(
                f"the given split {twice[0]!r} is in more than one of train, dev and test; "
                f"when train takes it, leave it out of the other, as in dev = []"
            )
        unknown = sorted(set(named) - {TRAIN, DEV, TEST, OTHER})
        if unknown:
            raise ValueError(f"unknown split {unknown[0]!r}: use train, dev, test or other")
        if not self.train:
            raise ValueError("train needs at least one of the given splits")
        shares = (self.train_share, self.dev_share, self.test_share)
        if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6 or self.train_share == 0:
            raise ValueError(f"train_share, dev_share and test_share are {shares}; they must add up to 1")
        if not 0 <= self.dev_when_missing_share <= 0.5:
            raise ValueError("dev_when_missing_share must be between 0 and 0.5")
        if not 0 <= self.max_set_aside_share <= 1:
            raise ValueError("max_set_aside_share must be between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class CheckSettings:
    """When an utterance is flagged; the recipe's section [checks].

    Attributes:
        min_seconds: shorter utterances count as empty audio and are left out.
        max_seconds: longer ones are flagged (they cost memory and hide wrong transcripts).
        silence_dbfs: utterances whose loudest 32 ms stay below this level are silent and left out.
        max_clipped_share: share (0-1) of samples at full scale above which an utterance is flagged as clipped.
        min_bandwidth_hz: speech with nothing above this frequency is flagged as band-limited (telephone: 3,400).
        max_pace_ratio: flagged when characters per second are this many times the median, or as many times fewer,
            and also further off than `max_pace_deviations`.
        max_pace_deviations: robust standard deviations (1.4826 MAD of log characters per second).
        drop: names of checks whose offenders are left out although they only warn by default.
    """

    min_seconds: float = 0.1
    max_seconds: float = 25.0
    silence_dbfs: float = -50.0
    max_clipped_share: float = 0.005
    min_bandwidth_hz: float = 4_500.0
    max_pace_ratio: float = 2.5
    max_pace_deviations: float = 4.0
    drop: tuple[str, ...] = ()

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse limits that make no sense and checks that do not exist."""
        unknown = sorted(set(self.drop) - set(CHECK_NAMES))
        if unknown:
            raise ValueError(f"there is no check {unknown[0]!r}; the checks are {', '.join(CHECK_NAMES)}")
        if not 0 <= self.min_seconds < self.max_seconds:
            raise ValueError("min_seconds must be at least 0 and below max_seconds")
        if not self.max_pace_ratio > 1:
            raise ValueError("max_pace_ratio must be above 1")
