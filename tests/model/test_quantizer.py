import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from lowres.model.config import QuantizerConfig
from lowres.model.quantizer import FITTED_LOGIT_DEVIATION, ProductQuantizer, sample_gumbel_noise

CONFIG = QuantizerConfig(num_codebooks=2, num_entries=5, code_width=6, projection_width=4, latent_dropout=0.0)


def build(seed: int = 0) -> ProductQuantizer:
    torch.manual_seed(seed)
    return ProductQuantizer(7, CONFIG)


def latents_of(num_rows: int) -> Tensor:
    return torch.randn(num_rows, 7, generator=torch.Generator().manual_seed(1))


def noise_of(num_rows: int) -> Tensor:
    return sample_gumbel_noise((num_rows, 2, 5), torch.Generator().manual_seed(2))


def test_each_codebook_gives_its_entry_of_the_highest_logit() -> None:
    quantizer = ProductQuantizer(2, QuantizerConfig(num_codebooks=2, num_entries=2, code_width=4, latent_dropout=0.0))
    with torch.no_grad():
        # Codebook 0 looks at the first latent channel's sign, codebook 1 at the second's.
        quantizer.logits.weight.copy_(torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]]))
        quantizer.codebooks.copy_(torch.tensor([[[1.0, 2], [3, 4]], [[5, 6], [7, 8]]]))
        quantized = quantizer(torch.tensor([[2.0, 2], [2, -2], [-2, 2], [-2, -2]]))
    assert quantized.codes.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert quantized.vectors.tolist() == [[1, 2, 5, 6], [1, 2, 7, 8], [3, 4, 5, 6], [3, 4, 7, 8]]
    assert float(quantized.probabilities[0, 0, 0]) == pytest.approx(math.exp(2) / (math.exp(2) + math.exp(-2)))


def test_noise_takes_part_in_the_choice_and_not_in_the_probabilities() -> None:
    quantizer, latents = build(), latents_of(4)
    noise = torch.zeros(4, 2, 5)
    noise[:, :, 3] = 100
    quantized = quantizer(latents, gumbel_temperature=2.0, gumbel_noise=noise)
    assert (quantized.codes == 3).all()
    assert_close(quantized.vectors, quantizer.codebooks[:, 3].flatten().expand(4, -1))
    logits = quantizer.logits(latents).view(4, 2, 5)
    assert_close(quantized.probabilities, torch.softmax(logits, -1))


def test_the_straight_through_gradient_is_the_softmaxs() -> None:
    quantizer, latents, noise = build(), latents_of(9).requires_grad_(), noise_of(9)
    upstream = torch.randn(9, 6, generator=torch.Generator().manual_seed(3))
    (quantizer(latents, gumbel_temperature=0.7, gumbel_noise=noise).vectors * upstream).sum().backward()
    straight_through = (latents.grad, quantizer.logits.weight.grad, quantizer.logits.bias.grad)
    latents.grad = None
    quantizer.zero_grad()
    soft = torch.softmax((quantizer.logits(latents).view(9, 2, 5) + noise) / 0.7, dim=-1)
    mixed = torch.einsum("ngv,gvd->ngd", soft, quantizer.codebooks).reshape(9, 6)
    (mixed * upstream).sum().backward()
    for ours, softmaxs in zip(
        straight_through, (latents.grad, quantizer.logits.weight.grad, quantizer.logits.bias.grad), strict=True
    ):
        assert_close(ours, softmaxs)


def test_the_codebooks_gradient_goes_to_the_chosen_entries() -> None:
    quantizer, upstream = build(), torch.randn(9, 6)
    quantized = quantizer(latents_of(9), gumbel_temperature=0.7, gumbel_noise=noise_of(9))
    (quantized.vectors * upstream).sum().backward()
    expected = torch.zeros(2, 5, 3)
    for row, codes in enumerate(quantized.codes.tolist()):
        for codebook, entry in enumerate(codes):
            expected[codebook, entry] += upstream[row, 3 * codebook : 3 * codebook + 3]
    assert_close(quantizer.codebooks.grad, expected)


def test_without_a_temperature_no_gradient_reaches_the_logits() -> None:
    quantizer = build()
    quantizer(latents_of(9)).vectors.sum().backward()
    assert quantizer.logits.weight.grad is None
    assert quantizer.codebooks.grad is not None


def test_entries_are_chosen_as_often_as_their_probabilities_say() -> None:
    quantizer = build()
    latents = latents_of(1) * 0.3
    noise = noise_of(40_000)
    codes = quantizer(latents.expand(40_000, -1), gumbel_temperature=1.0, gumbel_noise=noise).codes
    shares = torch.nn.functional.one_hot(codes, 5).float().mean(0)
    assert_close(shares, quantizer(latents).probabilities[0], atol=0.01, rtol=0)


def test_gumbel_noise_is_distributed_as_gumbel_noise() -> None:
    noise = sample_gumbel_noise((200_001,), torch.Generator().manual_seed(0))
    assert noise.dtype == torch.float32
    assert noise.isfinite().all()
    assert float(noise.mean()) == pytest.approx(0.5772, abs=0.01)
    assert float(noise.var()) == pytest.approx(math.pi**2 / 6, rel=0.02)
    for value in (-2.0, -1.0, 0.0, 1.0, 3.0, 6.0):
        assert float((noise < value).float().mean()) == pytest.approx(math.exp(-math.exp(-value)), abs=0.005)


def test_the_same_generator_state_gives_the_same_noise_and_the_default_generator_is_left_alone() -> None:
    state = torch.get_rng_state()
    assert torch.equal(noise_of(3), noise_of(3))
    assert torch.equal(state, torch.get_rng_state())


def test_noise_of_another_shape_or_without_a_temperature_is_refused() -> None:
    with pytest.raises(ValueError, match="logits of"):
        build()(latents_of(3), gumbel_temperature=1.0, gumbel_noise=noise_of(4))
    with pytest.raises(ValueError, match="None"):
        build()(latents_of(3), gumbel_noise=noise_of(3))


def test_latents_are_dropped_in_training_only() -> None:
    torch.manual_seed(0)
    quantizer = ProductQuantizer(7, QuantizerConfig(num_entries=5, code_width=6, latent_dropout=0.5))
    plain = quantizer.eval()(latents_of(50)).probabilities
    assert torch.equal(plain, quantizer(latents_of(50)).probabilities)
    assert not torch.equal(plain, quantizer.train()(latents_of(50)).probabilities)


def test_no_latents_make_no_vectors() -> None:
    quantized = build()(torch.zeros(0, 7), gumbel_temperature=1.0, gumbel_noise=torch.zeros(0, 2, 5))
    assert quantized.vectors.shape == (0, 6)
    quantized.vectors.sum().backward()


def test_initial_weights_are_spread_as_published() -> None:
    torch.manual_seed(0)
    quantizer = ProductQuantizer(64, QuantizerConfig()).requires_grad_(False)
    assert float(quantizer.logits.weight.std()) == pytest.approx(1.0, rel=0.02)
    assert not quantizer.logits.bias.any()
    assert 0 <= float(quantizer.codebooks.min()) <= float(quantizer.codebooks.max()) <= 1


def test_a_fitted_quantiser_uses_its_codes_for_latents_that_hardly_differ() -> None:
    torch.manual_seed(0)
    quantizer = ProductQuantizer(32, QuantizerConfig(num_entries=40, code_width=8, latent_dropout=0.0))
    generator = torch.Generator().manual_seed(1)
    latents = 3.0 + 0.1 * torch.randn(2_000, 3, generator=generator) @ torch.randn(3, 32, generator=generator)
    before = [len(codes.unique()) for codes in quantizer(latents).codes.t()]
    quantizer.fit(latents, generator)
    after = [len(codes.unique()) for codes in quantizer(latents).codes.t()]
    assert max(before) < 15
    assert min(after) > 20
    assert float(quantizer.logits(latents).detach().std()) == pytest.approx(FITTED_LOGIT_DEVIATION, rel=0.02)
    assert abs(float(quantizer.codebooks.detach().mean())) < 0.03
