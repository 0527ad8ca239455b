import pytest
import torch

from lowres.objectives.latent_penalty import latent_penalty


def test_the_penalty_of_one_utterance_is_the_mean_square_of_its_latents() -> None:
    latents = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert float(latent_penalty(latents, [2], [1])) == pytest.approx((1 + 4 + 9 + 16) / 4)


def test_utterances_weigh_as_much_as_they_have_masked_frames() -> None:
    # Mean squares 1, 4 and 9, of which the second has no masked frame.
    latents = torch.tensor([[1.0], [1.0], [2.0], [3.0], [3.0], [3.0]])
    assert float(latent_penalty(latents, [2, 1, 3], [1, 0, 3])) == pytest.approx((1 * 1 + 3 * 9) / 4)


def test_utterances_without_a_frame_are_passed_over() -> None:
    assert float(latent_penalty(torch.tensor([[2.0]]), [0, 1, 0], [0, 1, 0])) == 4


def test_what_is_batched_together_adds_up() -> None:
    latents = torch.randn(9, 4)
    together = 7 * latent_penalty(latents, [4, 5], [2, 5])
    alone = 2 * latent_penalty(latents[:4], [4], [2]) + 5 * latent_penalty(latents[4:], [5], [5])
    assert float(together) == pytest.approx(float(alone), rel=1e-5)


def test_nothing_masked_costs_nothing() -> None:
    assert float(latent_penalty(torch.ones(3, 2), [3], [0])) == 0


def test_its_gradient_is_twice_the_latents_over_their_number() -> None:
    latents = torch.randn(3, 2, requires_grad=True)
    latent_penalty(latents, [3], [2]).backward()
    torch.testing.assert_close(latents.grad, 2 * latents.detach() / 6)
