import pytest

from lowres.model.config import preset
from lowres.training import memory


@pytest.mark.parametrize(
    ("size", "total_gb", "seconds"),
    [
        ("xs", 8.0, 60.0),
        ("base", 24.0, 2e9 / memory.bytes_per_second(preset("base"), trains_feature_encoder=False)),
        ("large", 2.0, 1e9 / memory.bytes_per_second(preset("large"), trains_feature_encoder=False)),
        ("large", 0.5, 5.0),
        ("large", None, 2e9 / memory.bytes_per_second(preset("large"), trains_feature_encoder=False)),
    ],
)
def test_a_processor_gets_what_fits_into_half_of_the_memory_and_2_gb(
    size: str, total_gb: float | None, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "machine_memory_gb", lambda: (total_gb, None))
    found = memory.choose_micro_batch_seconds(preset(size), device="cpu", trains_feature_encoder=False)
    assert found == pytest.approx(seconds)
    assert found <= 60.0
