from lowres.training.adaptation import choose_adaptation


def test_everything_learns_where_it_fits() -> None:
    choice = choose_adaptation(95_000_000, hours=0.2, device="cpu", memory_gb=16.0)
    assert choice.adaptation == "full"
    assert choice.sentence == "Adaptation: full, since the backbone's 95 million parameters fit this machine."


def test_a_processor_trains_adapters_of_large_backbones() -> None:
    choice = choose_adaptation(317_000_000, hours=5.0, device="cpu", memory_gb=64.0)
    assert choice.adaptation == "adapter"
    assert "a processor takes too long to train all of its 317 million parameters" in choice.sentence


def test_sixteen_bytes_a_parameter_must_fit_into_three_fifths_of_the_memory() -> None:
    assert choose_adaptation(317_000_000, hours=5.0, device="cuda", memory_gb=8.5).adaptation == "full"
    choice = choose_adaptation(317_000_000, hours=5.0, device="cuda", memory_gb=8.4)
    assert choice.sentence.endswith(
        "since training all of its 317 million parameters takes 5 GB of memory, and there are 8."
    )


def test_little_speech_does_not_train_a_billion_parameters() -> None:
    assert choose_adaptation(965_000_000, hours=1.0, device="cuda", memory_gb=80.0).adaptation == "adapter"
    assert choose_adaptation(965_000_000, hours=20.0, device="cuda", memory_gb=80.0).adaptation == "full"
