import errno
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lowres.backbones.checkpoint_folder import CheckpointMetadata, read_checkpoint, read_metadata, write_checkpoint
from lowres.backbones.native import load_backbone, load_recognizer
from lowres.backbones.resolve import open_backbone
from lowres.errors import CheckpointError
from lowres.model.config import QuantizerConfig, preset, quantizer_to_dict, to_dict
from lowres.model.ctc import CTCRecognizer
from lowres.model.pretraining import PretrainingNetwork
from lowres.text.vocabulary import Vocabulary, VocabularySettings, build_vocabulary

CONFIG = replace(
    preset("xs"),
    conv_layers=((8, 10, 5), (8, 3, 2)),
    width=16,
    num_layers=1,
    num_heads=2,
    feed_forward_width=16,
    positional_kernel=4,
    positional_groups=2,
)
VOCABULARY = build_vocabulary(["abc ab"], VocabularySettings())


def metadata(vocabulary: Vocabulary = VOCABULARY) -> CheckpointMetadata:
    return CheckpointMetadata(
        kind="recognizer",
        model_config=to_dict(CONFIG),
        vocabulary=vocabulary.to_json(),
        vocabulary_sha256=vocabulary.hash,
        step=7,
    )


@pytest.fixture
def network() -> CTCRecognizer:
    torch.manual_seed(0)
    return CTCRecognizer(CONFIG, len(VOCABULARY))


@pytest.fixture
def folder(tmp_path: Path, network: CTCRecognizer) -> Path:
    write_checkpoint(tmp_path / "best", network.state_dict(), metadata())
    return tmp_path / "best"


def edit(folder: Path, **changes: object) -> None:
    path = folder / "checkpoint.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_recogniser_comes_back_with_its_weights_and_vocabulary(folder: Path, network: CTCRecognizer) -> None:
    found = load_recognizer(folder)
    assert found.vocabulary == VOCABULARY
    assert found.metadata.step == 7
    assert not found.model.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(found.model.state_dict()[name], tensor)


def test_a_recogniser_can_serve_as_a_backbone(folder: Path, network: CTCRecognizer) -> None:
    backbone = load_backbone(folder)
    assert backbone.config == CONFIG
    assert set(backbone.weights) == set(network.backbone.state_dict())


def test_only_checkpoint_files_are_left_in_the_folder_and_beside_it(folder: Path, network: CTCRecognizer) -> None:
    write_checkpoint(folder, network.state_dict(), metadata(), write_more=lambda path: _write(path / "more.bin"))
    assert {path.name for path in folder.iterdir()} == {"weights.safetensors", "checkpoint.json", "more.bin"}
    assert [path.name for path in folder.parent.iterdir()] == ["best"]


def _write(path: Path) -> None:
    path.write_bytes(b"more")


def test_changed_weights_are_refused(folder: Path) -> None:
    path = folder / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="was changed or cut short"):
        load_recognizer(folder)


def test_truncated_weights_are_refused(folder: Path) -> None:
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="was changed or cut short"):
        load_recognizer(folder)


def test_missing_weights_are_named(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"weights\.safetensors is missing"):
        load_recognizer(folder)


@pytest.mark.parametrize("changes", [{"step": 8}, {"vocabulary": None}, {"new": 1}, {"files": {}}])
def test_edited_metadata_is_refused(folder: Path, changes: dict[str, object]) -> None:
    edit(folder, **changes)
    with pytest.raises(CheckpointError, match="was changed after it was written"):
        load_recognizer(folder)


def test_an_unknown_version_is_an_error_that_names_it(folder: Path) -> None:
    edit(folder, format_version=12)
    with pytest.raises(CheckpointError, match="format version 12"):
        read_metadata(folder)


@pytest.mark.parametrize(
    "content",
    [
        '{"format_version": 2}',
        '{"format_version": [2]}',
        "[3]",
        '{"format_version": Infinity}',
        '{"format_version": 4, "kind": "\\ud800"}',
        "[" * 100_000,
    ],
)
def test_metadata_that_lowres_never_wrote_is_refused(folder: Path, content: str) -> None:
    (folder / "checkpoint.json").write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"was changed after it was written|is not what lowres writes"):
        read_metadata(folder)


def seal(folder: Path, **changes: object) -> None:
    """Edit a checkpoint and make its hashes right again."""
    path = folder / "checkpoint.json"
    content = json.loads(path.read_text(encoding="utf-8")) | changes
    del content["metadata_sha256"]
    content["files"] = content["files"] and {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in content["files"]
    }
    sealed = hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode("utf-8")).hexdigest()
    path.write_text(json.dumps({**content, "metadata_sha256": sealed}), encoding="utf-8")


@pytest.mark.parametrize(
    "changes",
    [
        {"format_version": 1, "model_config": None},
        {"kind": "other"},
        {"step": "seven"},
        {"training": []},
        {"files": None},
        {"vocabulary": "abc"},
        {"vocabulary": VOCABULARY.to_json() | {"tokens": [1, 2]}},
        {"model_config": to_dict(CONFIG) | {"width": 10**18}},
    ],
)
def test_metadata_of_other_kinds_is_refused_though_its_hash_is_right(folder: Path, changes: dict[str, object]) -> None:
    seal(folder, **changes)
    for load in (load_recognizer, load_backbone):
        with pytest.raises(CheckpointError):
            load(folder)


def test_a_file_of_something_else_is_refused_though_its_hash_is_right(folder: Path) -> None:
    (folder / "weights.safetensors").write_bytes(b"not weights")
    seal(folder)
    with pytest.raises(CheckpointError, match=r"weights\.safetensors is damaged"):
        load_backbone(folder)


@pytest.mark.parametrize("head", [{}, {"head.weight": torch.ones(())}, {"head.weight": torch.ones(5, 16)}])
def test_a_recogniser_without_a_whole_head_is_refused(folder: Path, head: dict[str, torch.Tensor]) -> None:
    weights = {name: tensor for name, tensor in load_file(folder / "weights.safetensors").items() if "head" not in name}
    save_file(weights | head, folder / "weights.safetensors")
    seal(folder)
    for load in (load_recognizer, load_backbone):
        with pytest.raises(CheckpointError):
            load(folder)


def test_a_checkpoint_can_be_the_folder_one_is_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert load_recognizer(Path()).metadata.step == 7
    assert open_backbone(".").config.width == 16
    monkeypatch.chdir(folder.parent)
    with pytest.raises(CheckpointError, match="is no backbone"):
        open_backbone(".")


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_checkpoint_of_an_old_version_is_upgraded(folder: Path, version: int) -> None:
    path = folder / "checkpoint.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["metadata_sha256"]
    added = ["front_end"] if version == 3 else ["front_end", "positional_layers", "adapter_width", "lora_rank"]
    for name in added:
        del content["model_config"][name]
    if version == 1:
        del content["quantizer_config"]
    content["format_version"] = version
    sealed = hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode("utf-8")).hexdigest()
    path.write_text(json.dumps({**content, "metadata_sha256": sealed}), encoding="utf-8")
    found = read_metadata(folder)
    assert (found.format_version, found.quantizer_config) == (4, None)
    assert found.model_config["front_end"] == "waveform"
    assert load_recognizer(folder).metadata == found


def test_a_pretrained_backbone_brings_its_quantiser_and_projections(tmp_path: Path) -> None:
    quantizer = QuantizerConfig(num_entries=8, code_width=8, projection_width=8)
    network = PretrainingNetwork(CONFIG, quantizer)
    content = CheckpointMetadata(
        kind="backbone", model_config=to_dict(CONFIG), quantizer_config=quantizer_to_dict(quantizer)
    )
    write_checkpoint(tmp_path / "backbone", network.state_dict(), content)
    found = load_backbone(tmp_path / "backbone")
    assert set(found.weights) == set(network.backbone.state_dict())
    assert found.heads is not None
    assert found.heads.config == quantizer
    assert set(found.heads.weights) | {f"backbone.{name}" for name in found.weights} == set(network.state_dict())


def test_a_folder_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="There is no checkpoint in"):
        read_checkpoint(tmp_path / "nothing")


def test_metadata_that_is_not_json_is_refused(folder: Path) -> None:
    (folder / "checkpoint.json").write_text("{")
    with pytest.raises(CheckpointError, match="is not what lowres writes"):
        read_metadata(folder)


def test_a_vocabulary_that_does_not_fit_the_head_is_refused(tmp_path: Path, network: CTCRecognizer) -> None:
    other = build_vocabulary(["abcdefg"], VocabularySettings())
    write_checkpoint(tmp_path / "best", network.state_dict(), metadata(other))
    with pytest.raises(CheckpointError, match="a head for 5 tokens and a vocabulary of 9"):
        load_recognizer(tmp_path / "best")


def test_weights_that_do_not_fit_the_network_are_refused_by_name(tmp_path: Path, network: CTCRecognizer) -> None:
    weights = dict(network.state_dict())
    weights["head.extra"] = weights.pop("head.bias")
    write_checkpoint(tmp_path / "best", weights, metadata())
    with pytest.raises(CheckpointError, match=r"1 missing \(the first is head\.bias\), 1 unknown"):
        load_recognizer(tmp_path / "best")


def test_a_backbone_is_no_recogniser(tmp_path: Path, network: CTCRecognizer) -> None:
    content = CheckpointMetadata(kind="backbone", model_config=to_dict(CONFIG))
    write_checkpoint(tmp_path / "backbone", network.backbone.state_dict(), content)
    assert load_backbone(tmp_path / "backbone").config == CONFIG
    with pytest.raises(CheckpointError, match="cannot write letters yet"):
        load_recognizer(tmp_path / "backbone")


def test_a_full_disk_leaves_the_checkpoint_that_was_there(folder: Path, network: CTCRecognizer) -> None:
    def run_out_of_space(_folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    weights = {name: tensor + 1.0 for name, tensor in network.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"No space left on device.*written before it is untouched"):
        write_checkpoint(folder, weights, metadata(), write_more=run_out_of_space)
    assert torch.equal(load_recognizer(folder).model.head.bias, network.head.bias)
    assert [path.name for path in folder.parent.iterdir()] == ["best"]


def test_a_process_killed_between_two_renames_leaves_the_checkpoint_before(
    folder: Path, network: CTCRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(_folder: Path) -> None:
        raise Killed

    rename = Path.rename
    monkeypatch.setattr(Path, "rename", lambda path, target: rename(path, target) if path.name == "best" else die(path))
    with pytest.raises(Killed):
        write_checkpoint(folder, network.state_dict(), replace(metadata(), step=8))
    monkeypatch.undo()
    assert not folder.exists()
    assert load_recognizer(folder).metadata.step == 7
    write_checkpoint(folder, network.state_dict(), replace(metadata(), step=9))
    assert load_recognizer(folder).metadata.step == 9
    assert [path.name for path in folder.parent.iterdir()] == ["best"]


def test_nothing_of_a_checkpoint_is_read_by_pickle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "load", lambda *_args, **_more: pytest.fail("torch.load was called"))
    load_recognizer(folder)
