"""Which utterance is heard how in which update: speed and noise, drawn from the seed and the place in the run alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lowres.audio.augmentation import add_noise, change_speed

Place = tuple[int, int, int]
"""Epoch and batch after an update, and the number of the micro batch in it, in which an utterance may come again."""

_NOISY_SHARE = 0.5
_SNR_RANGE_DB = 20.0


@dataclass(frozen=True)
class Augmentation:
    """How utterances are altered before the network hears them."""

    seed: int
    speed_change: float = 0.0
    """Utterances are played at 1 - x, 1 or 1 + x times their speed, each as often; 0 leaves it."""

    lowest_snr_db: float | None = None
    """Half of the utterances get noise, at a speech to noise ratio between this and 20 dB above it; None adds none."""

    def alter(
        self, index: int, samples: NDArray[np.int16], place: Place, *, fewest_samples: int = 0
    ) -> NDArray[np.float32]:
        """Alter an utterance.

        Args:
            index: which utterance of the training speech it is.
            samples: (S,) of it.
            place: where it is heard; the same in a resumed run gives the same sound.
            fewest_samples: what its transcript needs; it is not played faster where that would leave fewer.

        Returns:
            Float32 on the scale of 16-bit samples, of whatever length its new speed gives.
        """
        generator = np.random.default_rng((self.seed, *place, index))
        factor = 1.0 + self.speed_change * int(generator.integers(-1, 2))
        if len(samples) / factor < fewest_samples + 1:
            factor = 1.0
        altered = change_speed(samples.astype(np.float32), factor)
        if self.lowest_snr_db is not None and generator.random() < _NOISY_SHARE:
            altered = add_noise(altered, self.lowest_snr_db + _SNR_RANGE_DB * generator.random(), generator)
        return altered
