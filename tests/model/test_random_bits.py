import torch

from lowres.model.random_bits import random_bits


def test_every_bit_is_set_half_of_the_time() -> None:
    bits = random_bits(20_000, torch.Generator().manual_seed(1))
    shares = torch.stack([(bits >> place & 1).double().mean() for place in range(64)])
    assert float((shares - 0.5).abs().max()) < 0.02


def test_the_same_state_gives_the_same_bits_and_the_next_draw_others() -> None:
    first, second = (torch.Generator().manual_seed(5) for _ in range(2))
    drawn = random_bits(100, first)
    assert torch.equal(drawn, random_bits(100, second))
    assert not torch.equal(drawn, random_bits(100, first))


def test_the_default_generator_is_pytorchs() -> None:
    torch.manual_seed(3)
    drawn = random_bits(10)
    torch.manual_seed(3)
    assert torch.equal(drawn, random_bits(10))


def test_no_bits_can_be_looked_at_as_smaller_numbers_too() -> None:
    assert random_bits(0).view(torch.int32).shape == (0,)
