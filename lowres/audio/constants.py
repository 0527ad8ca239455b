"""The one shape that sound has inside lowres: mono, 16 kHz, 16 bits (wav2vec 2.0, section 4: 16 kHz input)."""

SAMPLE_RATE = 16_000
BYTES_PER_SAMPLE = 2
BYTES_PER_SECOND = SAMPLE_RATE * BYTES_PER_SAMPLE
# An int16 sample divided by this is a float in [-1, 1).
FULL_SCALE = 32_768
# Recordings are decoded in blocks of at most this length, and at most this many values, all channels together (12 MB,
# just above 30 s of stereo at 48 kHz), so that a recording of any length, rate and number of channels needs the same
# memory. mp3 decoded in blocks of another length differs in the last bit.
BLOCK_SECONDS = 30
BLOCK_VALUES = 3_000_000
