"""wav2vec 2.0 made practical for languages with minutes to hours of transcribed speech."""

__version__ = "0.1.0"
