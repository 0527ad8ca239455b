"""Latents computed once for a whole run: with a frozen feature encoder they never change, since masks come after it.

They lie in runs/<name>/latents/ from before the first update until the run has ended, and a run that is gone on with
finds them there. Training from them is exact: they are kept in the numbers they were computed in, an utterance's do
not depend on its batch, and computing them draws nothing at random.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch

from lowres.audio.constants import SAMPLE_RATE
from lowres.backbones.native import load_weights
from lowres.model.config import num_frames_for
from lowres.model.feature_encoder import FeatureEncoder
from lowres.model.log_mel import LogMelEncoder, build_feature_encoder
from lowres.model.wav2vec2 import Encoded, encode
from lowres.stages.finetune_attempt import RunContext
from lowres.stages.finetune_network import chosen_adaptation
from lowres.stages.finetune_run import read_record
from lowres.stages.finetune_speech import FinetuneSpeech
from lowres.training.batches import cut_into_batches
from lowres.training.checkpoint import TrainingState
from lowres.training.feed import TrainingSpeech, load_batch
from lowres.training.latents import LatentStore, forget_latents, open_latents, write_latents
from lowres.training.monitors import NoticeReport
from lowres.training.settings import known

LATENTS_FOLDER: Final = "latents"

_SECONDS_BETWEEN_LOOKS: Final = 2.0
"""Progress is told, and a wish to stop looked for, at most this often."""

_LARGEST_BUDGET_SHARE: Final = 0.25
"""A timed run gives up computing latents once that will take more than this share of its time."""

_MARGIN_BYTES: Final = 2_000_000_000
"""Left free on the disk whatever is trained."""

_CHECKPOINT_BYTES_PER_PARAMETER: Final = 32
"""A full run's `last` (weights and Adam's two moments) and `best`, each beside the one that it replaces."""

_ENCODER_PREFIX: Final = "feature_encoder."


@dataclass(frozen=True)
class LatentsProgress:
    """Latents are being computed; training has not begun."""

    done_seconds: float
    """Seconds of audio done."""

    total_seconds: float


Watch = Callable[[LatentsProgress], None]


class _GivenUpError(Exception):
    """Computing latents was given up; the sentence says why, "" when somebody wants to stop."""


@contextmanager
def kept_latents(context: RunContext, state: TrainingState, watch: Watch) -> Iterator[tuple[RunContext, TrainingState]]:
    """Compute the latents of a run's speech, or find them, and delete them once the run has ended.

    Args:
        context: the run.
        state: where it begins.
        watch: told how far computing is.

    Yields:
        The run, its speech with latents where they can be kept, and the state with the time that this took.
    """
    folder = context.folder.path / LATENTS_FOLDER
    started = context.clock()
    store, sentence = _open_or_compute(context, folder, watch)
    if sentence and state.step == 0 and state.attempt == 1:
        context.report(NoticeReport(step=0, attempt=1, sentence=sentence))
    if store is not None:
        context = replace(context, speech=_with_latents(context.speech, store))
    seconds = context.clock() - started
    state = replace(
        state,
        elapsed_seconds=state.elapsed_seconds + seconds,
        attempt_started_seconds=state.attempt_started_seconds + seconds,
    )
    try:
        yield context, state
    finally:
        if store is not None:
            store.close()
        if read_record(context.folder).status != "training":
            forget_latents(folder)


def _open_or_compute(context: RunContext, folder: Path, watch: Watch) -> tuple[LatentStore | None, str]:
    """Return the latents, if they are to be kept, and a sentence for the user."""
    encoder = _load_frozen_encoder(context) if context.settings.cache_latents != "off" else None
    if encoder is None:
        return None, ""
    identity, num_bytes = _identity(context, encoder), _count_bytes(context, encoder)
    kept = (
        f"The latents of {_total_seconds(context.speech) / 3600:.2f} h of speech are computed once and kept in "
        f"{LATENTS_FOLDER}/ of the run folder until the run has ended ({_size(num_bytes)})."
    )
    if (store := open_latents(folder, identity)) is not None:
        return store, kept
    forget_latents(folder)
    if reason := _reason_against(context, num_bytes):
        return None, reason
    try:
        write_latents(folder, identity, _compute(context, encoder, watch))
    except _GivenUpError as given_up:
        return None, str(given_up)
    except torch.OutOfMemoryError:
        return None, "Latents are computed in every update, since memory ran out while computing all of them first."
    except OSError as error:
        return None, f"Latents are computed in every update, since they could not be written: {error.strerror}."
    return open_latents(folder, identity), kept


def _load_frozen_encoder(context: RunContext) -> FeatureEncoder | LogMelEncoder | None:
    """Load the backbone's feature encoder; None where it learns, or where there is none and every attempt has its own.

    The rest of the backbone is not built yet, so that memory holds it once.
    """
    settings, config, start = context.settings, context.config, context.start
    if start.read_backbone is None or known(settings.train_feature_encoder, "train_feature_encoder"):
        return None
    encoder = build_feature_encoder(config)
    weights = {
        name.removeprefix(_ENCODER_PREFIX): weight
        for name, weight in start.read_backbone().weights.items()
        if name.startswith(_ENCODER_PREFIX)
    }
    load_weights(encoder, weights, Path(settings.backbone))
    return encoder.requires_grad_(False).to(context.compute.device)


def _reason_against(context: RunContext, num_bytes: int) -> str:
    """Say in one sentence why latents are not to be kept, "" when they are."""
    settings = context.settings
    if settings.alters_waveforms:
        return "Latents are computed in every update, since changes of speed or noise alter them in every pass."
    if settings.cache_latents == "auto" and settings.minutes is None:
        seconds = known(settings.updates, "updates") * known(settings.seconds_per_update, "seconds_per_update")
        passes = seconds * SAMPLE_RATE / int(context.speech.training.num_samples.sum())
        if passes <= 1:
            return f"Latents are computed in every update, since this run hears its speech only {passes:.1f} times."
    margin = _MARGIN_BYTES
    if chosen_adaptation(settings) == "full":
        margin += _CHECKPOINT_BYTES_PER_PARAMETER * context.record.num_parameters
    free = shutil.disk_usage(context.folder.path).free
    if num_bytes > free - margin:
        return (
            f"Latents are computed in every update, since keeping them takes {_size(num_bytes)} and the disk has "
            f"{_size(free)} free, of which {_size(margin)} are left to checkpoints."
        )
    return ""


def _compute(context: RunContext, encoder: FeatureEncoder | LogMelEncoder, watch: Watch) -> Iterator[Encoded]:
    """Yield the latents of training and dev, in their order.

    Raises:
        _GivenUpError: somebody wants to stop, or it takes too much of the run's time.
    """
    total, done = _total_seconds(context.speech), 0.0
    began = looked = context.clock()
    for speech in _parts(context.speech):
        for indices in cut_into_batches(speech.num_samples, np.arange(len(speech.num_samples)), context.sizes):
            batch = load_batch(speech, indices)
            waveforms = batch.waveforms.to(context.compute.device)
            with torch.no_grad(), context.compute.autocast():
                encoded = encode(encoder, context.config, waveforms, batch.num_samples)
            yield encoded
            done += int(batch.num_samples.sum()) / SAMPLE_RATE
            now = context.clock()
            if now - looked >= _SECONDS_BETWEEN_LOOKS:
                looked = now
                watch(LatentsProgress(done, total))
                _go_on_or_give_up(context, (now - began) * total / done)


def _go_on_or_give_up(context: RunContext, expected_seconds: float) -> None:
    if context.is_stop_asked():
        raise _GivenUpError
    minutes = context.settings.minutes
    is_timed = minutes is not None and context.settings.cache_latents == "auto"
    if is_timed and expected_seconds > _LARGEST_BUDGET_SHARE * 60 * known(minutes, "minutes"):
        raise _GivenUpError(
            f"Latents are computed in every update, since computing all of them first would take "
            f"{expected_seconds / 60:.0f} of the run's {minutes:g} minutes."
        )


def _count_bytes(context: RunContext, encoder: FeatureEncoder | LogMelEncoder) -> int:
    """Count the bytes that the latents take, in the numbers that the encoder computes a single frame in."""
    config = context.config
    shortest = torch.zeros(1, config.receptive_field_samples, device=context.compute.device)
    with torch.no_grad(), context.compute.autocast():
        frame = encode(encoder, config, shortest, torch.tensor([config.receptive_field_samples])).rows
    lengths = (length for speech in _parts(context.speech) for length in speech.num_samples.tolist())
    return sum(num_frames_for(length, config) for length in lengths) * frame.shape[1] * frame.element_size()


def _identity(context: RunContext, encoder: FeatureEncoder | LogMelEncoder) -> str:
    """Hash everything that the latents follow from."""
    info, config = context.speech.info, context.config
    facts = {
        "corpus": [info.manifest_sha256, info.shard_sha256],
        "utterances": [context.speech.utterance_ids, [part.num_samples.tolist() for part in _parts(context.speech)]],
        "front_end": config.front_end,
        "encoder": [config.conv_layers, config.feature_norm, config.conv_bias, config.normalize_waveforms],
        "numbers": [context.compute.device, context.compute.precision],
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode("utf-8"))
    for name, weight in sorted(encoder.state_dict().items()):
        digest.update(name.encode("utf-8"))
        digest.update(weight.cpu().contiguous().numpy().data)
    return digest.hexdigest()


def _with_latents(speech: FinetuneSpeech, store: LatentStore) -> FinetuneSpeech:
    training = replace(speech.training, read_encoded=store.read)
    if speech.dev is None:
        return replace(speech, training=training)
    first_of_dev = len(speech.training.num_samples)
    dev = replace(speech.dev.speech, read_encoded=lambda index: store.read(first_of_dev + index))
    return replace(speech, training=training, dev=replace(speech.dev, speech=dev))


def _parts(speech: FinetuneSpeech) -> list[TrainingSpeech]:
    return [speech.training] if speech.dev is None else [speech.training, speech.dev.speech]


def _total_seconds(speech: FinetuneSpeech) -> float:
    return sum(int(part.num_samples.sum()) for part in _parts(speech)) / SAMPLE_RATE


def _size(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:.1f} GB" if num_bytes >= 1e9 else f"{num_bytes / 1e6:.0f} MB"
