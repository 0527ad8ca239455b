import torch

from lowres.model.packing import SHORTEST_SHARE, buckets_of
from lowres.model.shapes import UTTERANCE_QUANTUM


def test_buckets_hold_every_utterance_once_and_pad_none_by_much() -> None:
    num_frames = [7, 300, 250, 64, 1, 299, 50]
    buckets = buckets_of(num_frames, torch.device("cpu"))
    places = [place for bucket in buckets for place in bucket.places]
    assert sorted((place.start, place.stop - place.start) for place in places) == [
        (sum(num_frames[:index]), length) for index, length in enumerate(num_frames)
    ]
    for bucket in buckets:
        lengths = [place.stop - place.start for place in bucket.places]
        assert max(lengths) <= bucket.num_frames < max(lengths) + UTTERANCE_QUANTUM
        assert min(lengths) >= SHORTEST_SHARE * max(lengths)


def test_a_bucket_spreads_rows_and_gathers_them_again() -> None:
    num_frames, rows = [4, 5, 4], torch.randn(13, 2)
    (bucket,) = buckets_of(num_frames, torch.device("cpu"))
    spread = torch.full((3, 2, bucket.num_frames), torch.nan).transpose(1, 2)
    bucket.spread(rows, spread)
    assert spread.count_nonzero() == rows.numel()
    gathered = torch.full_like(rows, torch.nan)
    bucket.gather(spread, gathered)
    assert torch.equal(gathered, rows)
