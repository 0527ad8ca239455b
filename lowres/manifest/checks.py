"""Settings of the checks (see below)."""

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True)
class CheckSettings:
    """When an utterance is flagged; the recipe's section [checks].

    Attributes:
        max_seconds: longer utterances are flagged (they cost memory and hide wrong transcripts).
        min_seconds: shorter ones count as empty audio and are dropped.
        max_clipped_share: share (0-1) of samples at full scale above which an utterance is flagged as clipped.
        min_bandwidth_hz: speech with nothing above this frequency is flagged as band-limited (telephone: about 3,400).
        max_pace_ratio: flagged when characters per second are this many times the median, or as many times fewer,
            and also further off than `max_pace_deviations`.
        max_pace_deviations: robust standard deviations (1.4826 MAD of log characters per second).
        drop: names of checks whose offenders are left out of training and scoring although they only warn by default.
    """

    max_seconds: float = 25.0
    min_seconds: float = 0.1
    max_clipped_share: float = 0.005
    min_bandwidth_hz: float = 4_500.0
    max_pace_ratio: float = 2.5
    max_pace_deviations: float = 4.0
    drop: tuple[str, ...] = ()

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
