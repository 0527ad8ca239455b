"""The one shape that sound has inside lowres: mono, 16 kHz, 16 bits (wav2vec 2.0, section 4: 16 kHz input)."""

SAMPLE_RATE = 16_000
BYTES_PER_SAMPLE = 2
BYTES_PER_SECOND = SAMPLE_RATE * BYTES_PER_SAMPLE
# An int16 sample divided by this is a float in [-1, 1).
FULL_SCALE = 32_768
# Recordings are decoded in blocks of this length, so that a recording of any length needs the same memory.
BLOCK_SECONDS = 30
