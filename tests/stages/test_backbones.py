"""Downloads are whole, what their home says they are, and usable by name; or there is a sentence and nothing else."""

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from recognizers import make_recognizer
from typer.testing import CliRunner

from lowres.backbones.bundled import BUNDLED_NAME
from lowres.backbones.catalogue import CatalogueEntry, licence_of
from lowres.backbones.checkpoint_folder import write_checkpoint
from lowres.backbones.export_transformers import write_transformers_folder
from lowres.backbones.hub_listing import listing_url
from lowres.backbones.model_card import Language
from lowres.backbones.origin import read_origin
from lowres.cli.app import app
from lowres.errors import CheckpointError
from lowres.stages import backbones
from lowres.stages.backbone import _published_licence, find_backbone
from lowres.stages.backbones import get_backbone, list_backbones

NAME = "facebook/wav2vec2-xls-r-300m"
REVISION = "0123456789abcdef0123456789abcdef01234567"
runner = CliRunner()


class Hub(ThreadingHTTPServer):
    """Answers as huggingface.co does, with `files` of one repository."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.sent: dict[str, bytes] = {}
        """What is sent instead of a file's contents."""
        self.breaks_after: int | None = None
        self.asked: list[str] = []

    def listing(self) -> bytes:
        siblings: list[dict[str, Any]] = []
        for name, contents in self.files.items():
            blob = hashlib.sha1(f"blob {len(contents)}\0".encode() + contents).hexdigest()
            siblings.append({"rfilename": name, "size": len(contents), "blobId": blob})
            if not name.endswith(".json"):
                siblings[-1]["lfs"] = {"sha256": hashlib.sha256(contents).hexdigest(), "size": len(contents)}
        return json.dumps({"sha": REVISION, "siblings": siblings, "cardData": {"license": "mit"}}).encode()


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(path)
        name = path.rpartition("/")[2]
        if path.startswith("/api/models/"):
            contents = self.server.listing() if self.server.files else b"<html>Sorry</html>"
        elif name in self.server.files:
            contents = self.server.sent.get(name, self.server.files[name])
        else:
            self.send_error(404)
            return
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(contents) - start))
        self.end_headers()
        if self.server.breaks_after is not None and name == "model.safetensors":
            self.wfile.write(contents[start : start + self.server.breaks_after])
            self.close_connection = True
        else:
            self.wfile.write(contents[start:])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A folder as transformers writes it, with what else lies in a repository."""
    folder = tmp_path_factory.mktemp("published") / "out"
    write_transformers_folder(make_recognizer("adapter"), folder, Language())
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return files | {"pytorch_model.bin": b"older", "faiss.index": b"x" * 1000, "adapter.mos.safetensors": b"adapters"}


@pytest.fixture
def hub(tmp_path: Path, published: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("LOWRES_CACHE", str(tmp_path / "cache"))
    with Hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{running.server_port}")
        running.files = dict(published)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def left_in(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file() or path.name.endswith(".partial"))


def ignore(*_: object) -> None:
    pass


def test_only_what_is_needed_is_downloaded_of_the_revision_that_was_listed(hub: Hub, tmp_path: Path) -> None:
    downloaded = get_backbone(NAME, ignore)
    assert left_in(tmp_path / "cache") == [
        "config.json",
        "download.json",
        "model.safetensors",
        "preprocessor_config.json",
    ]
    assert hub.asked[0] == f"/api/models/{NAME}"
    assert all(path.startswith(f"/{NAME}/resolve/{REVISION}/") for path in hub.asked[1:])
    assert (downloaded.licence, downloaded.was_here, downloaded.is_checked) == ("Apache-2.0", False, True)


def test_a_downloaded_name_works_without_a_network_and_brings_its_licence(hub: Hub, tmp_path: Path) -> None:
    get_backbone(NAME, ignore)
    hub.files, hub.asked = {}, []
    assert get_backbone(NAME, ignore).was_here
    backbone = find_backbone(tmp_path, NAME)
    assert torch.equal(backbone.weights["mask_embedding"], make_recognizer("adapter").model.backbone.mask_embedding)
    assert backbone.metadata.backbone_licence == "Apache-2.0"
    assert hub.asked == []


def test_a_copied_folder_still_knows_its_licence(hub: Hub, tmp_path: Path) -> None:
    get_backbone("somebody/theirs", ignore).path.rename(tmp_path / "copied")
    assert find_backbone(tmp_path, "copied").metadata.backbone_licence == "mit"


@pytest.mark.parametrize(
    ("of_its_backbone", "training", "licence"),
    [
        ("Apache-2.0", {"backbone": "x", "corpus_licence": "CC-BY-NC-4.0"}, "Apache-2.0; CC-BY-NC-4.0"),
        ("Apache-2.0; MIT", {"backbone": "x", "corpus_licence": "MIT"}, "Apache-2.0; MIT"),
        ("Apache-2.0", {"backbone": "x", "corpus_licence": ""}, "Apache-2.0; not stated"),
        ("", {"backbone": "x", "corpus_licence": "MIT"}, "not stated; MIT"),
        ("", {"backbone": "", "corpus_licence": "MIT"}, "MIT"),
        ("", {"backbone": "", "corpus_licence": ""}, ""),
        ("MIT", {"backbone": "x", "languages": [{"licence": "CC0-1.0"}, {"licence": ""}]}, "MIT; CC0-1.0; not stated"),
    ],
)
def test_a_run_is_under_the_licences_of_its_backbone_and_of_its_speech(
    of_its_backbone: str, training: dict[str, Any], licence: str, tmp_path: Path
) -> None:
    recognizer = make_recognizer()
    metadata = replace(recognizer.metadata, backbone_licence=of_its_backbone, training=training)
    write_checkpoint(tmp_path / "best", recognizer.model.state_dict(), metadata)
    assert find_backbone(tmp_path, "best").metadata.backbone_licence == licence


def test_the_licence_that_a_publisher_states_goes_before_those_of_what_it_was_made_from(tmp_path: Path) -> None:
    assert find_backbone(tmp_path, BUNDLED_NAME).metadata.backbone_licence == licence_of(BUNDLED_NAME)


@pytest.mark.parametrize("name", [BUNDLED_NAME, "facebook/wav2vec2-base"])
def test_ones_own_network_keeps_its_licence_under_a_name_of_the_catalogue(name: str, tmp_path: Path) -> None:
    recognizer = make_recognizer()
    training = {"backbone": "facebook/mms-300m", "corpus_licence": ""}
    metadata = replace(recognizer.metadata, backbone_licence="CC-BY-NC-4.0", training=training)
    write_checkpoint(tmp_path / name, recognizer.model.state_dict(), metadata)
    assert find_backbone(tmp_path, name).metadata.backbone_licence == "CC-BY-NC-4.0; not stated"


@pytest.mark.parametrize("file", ["", "/model.safetensors"])
def test_a_folder_of_hugging_faces_cache_has_the_licence_of_its_name(file: str, tmp_path: Path) -> None:
    snapshot = tmp_path / "models--facebook--mms-300m" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").write_bytes(b"")
    assert _published_licence(tmp_path, f"{snapshot}{file}") == "CC-BY-NC-4.0"


def test_a_file_still_knows_the_licence_that_lies_beside_it(hub: Hub, tmp_path: Path) -> None:
    folder = get_backbone("somebody/theirs", ignore).path
    other = tmp_path / "other"
    other.mkdir()
    (folder / "download.json").rename(other / "download.json")
    (tmp_path / "download.json").write_text('{"name": "x", "url": "x", "licence": "wrong"}')
    torch.save({"mask_embedding": torch.zeros(1)}, other / "weights.pt")
    assert _published_licence(tmp_path, "other/weights.pt") == "mit"
    assert _published_licence(tmp_path, "elsewhere") == ""


def test_what_hugging_faces_own_programs_downloaded_is_listed_as_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOWRES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    cached = tmp_path / f"models--{NAME.replace('/', '--')}"
    (cached / "snapshots" / "abc").mkdir(parents=True)
    (cached / "snapshots" / "abc" / "pytorch_model.bin").write_bytes(b"")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc")
    assert [backbone.entry.name for backbone in list_backbones() if backbone.folder] == ["lowres-small", NAME]


def test_an_empty_endpoint_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "")
    assert listing_url(NAME) == f"https://huggingface.co/api/models/{NAME}?blobs=true"


def test_safetensors_are_preferred_and_bin_is_taken_for_want_of_them(hub: Hub, tmp_path: Path) -> None:
    del hub.files["model.safetensors"]
    get_backbone(NAME, ignore)
    assert "pytorch_model.bin" in left_in(tmp_path / "cache")


def test_weights_in_several_files_come_with_their_index(hub: Hub, tmp_path: Path) -> None:
    del hub.files["model.safetensors"]
    parts = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]
    hub.files |= dict.fromkeys(parts, b"{}")
    get_backbone(NAME, ignore)
    assert set(parts) < set(left_in(tmp_path / "cache"))
    assert "pytorch_model.bin" not in left_in(tmp_path / "cache")


def test_adapters_of_a_language_are_added_to_what_is_here(hub: Hub, tmp_path: Path) -> None:
    get_backbone(NAME, ignore)
    hub.asked = []
    assert not get_backbone(f"{NAME}:mos", ignore).was_here
    assert [path.rpartition("/")[2] for path in hub.asked] == [NAME.partition("/")[2], "adapter.mos.safetensors"]
    assert "adapter.mos.safetensors" in left_in(tmp_path / "cache")
    assert get_backbone(f"{NAME}:mos", ignore).was_here


def test_adapters_are_added_although_the_repository_has_more_settings_by_now(hub: Hub, tmp_path: Path) -> None:
    get_backbone(NAME, ignore)
    hub.files["processor_config.json"] = b"{}"
    get_backbone(f"{NAME}:mos", ignore)
    assert "adapter.mos.safetensors" in left_in(tmp_path / "cache")


def test_a_language_without_adapters_is_refused(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no adapters of the language 'xyz'"):
        get_backbone(f"{NAME}:xyz", ignore)
    assert left_in(tmp_path / "cache") == []


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
@pytest.mark.parametrize("change", ["cut short", "altered"])
def test_a_file_cut_short_or_altered_is_refused_and_not_kept(hub: Hub, tmp_path: Path, name: str, change: str) -> None:
    contents = hub.files[name]
    hub.sent[name] = contents[:-10] if change == "cut short" else contents[:-10] + b"0123456789"
    with pytest.raises(CheckpointError, match=f"{name} came cut short or altered"):
        get_backbone(NAME, ignore)
    assert name not in left_in(tmp_path / "cache")
    hub.sent = {}
    assert not get_backbone(NAME, ignore).was_here


def is_here(name: str) -> bool:
    return any(backbone.folder for backbone in list_backbones() if backbone.entry.name == name)


def test_a_broken_connection_is_gone_on_with(hub: Hub, tmp_path: Path) -> None:
    hub.breaks_after = 1_000
    with pytest.raises(CheckpointError, match="the connection ended after 3000 of") as caught:
        get_backbone(NAME, ignore)
    assert "goes on where it stopped" in caught.value.hint
    assert not is_here(NAME)
    hub.breaks_after = None
    begun: list[int] = []
    get_backbone(NAME, lambda url, here, total: begun.append(here) if "model.safetensors" in url else None)
    assert begun[0] > 3_000
    assert find_backbone(tmp_path, NAME).config.width == 32
    assert is_here(NAME)


def test_what_an_interrupted_download_left_survives_a_mistake(hub: Hub, tmp_path: Path) -> None:
    hub.breaks_after = 1_000
    with pytest.raises(CheckpointError, match="the connection ended"):
        get_backbone(NAME, ignore)
    hub.breaks_after, begun = None, left_in(tmp_path / "cache")
    with pytest.raises(CheckpointError, match="no adapters of the language 'xyz'"):
        get_backbone(f"{NAME}:xyz", ignore)
    files, hub.files = hub.files, {}
    with pytest.raises(CheckpointError, match="did not answer with a list of files"):
        get_backbone(NAME, ignore)
    hub.files = files
    hub.sent["preprocessor_config.json"] = b"altered"
    for path in (tmp_path / "cache").rglob("preprocessor_config.json"):
        path.unlink()
    with pytest.raises(CheckpointError, match=r"preprocessor_config.json came"):
        get_backbone(NAME, ignore)
    assert "model.safetensors.partial" in begun
    assert left_in(tmp_path / "cache") == [name for name in begun if name != "preprocessor_config.json"]


def test_what_is_here_of_a_download_needs_no_more_space(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.breaks_after = 1_000
    with pytest.raises(CheckpointError, match="the connection ended"):
        get_backbone(NAME, ignore)
    hub.breaks_after = None
    needed = sum(len(hub.files[name]) for name in ("config.json", "preprocessor_config.json", "model.safetensors"))
    usage = shutil.disk_usage(tmp_path)._replace(free=needed - 3_000)
    monkeypatch.setattr(backbones, "_MARGIN_BYTES", 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    get_backbone(NAME, ignore)


def test_a_network_that_lowres_does_not_have_is_refused_before_its_weights_are_downloaded(
    hub: Hub, tmp_path: Path
) -> None:
    hub.files["config.json"] = b'{"model_type": "whisper"}'
    with pytest.raises(CheckpointError, match="openai/whisper-small holds a model of the kind whisper"):
        get_backbone("openai/whisper-small", ignore)
    assert not any("model.safetensors" in path for path in hub.asked)
    assert left_in(tmp_path / "cache") == []


@pytest.mark.parametrize(
    ("reference", "told"),
    [("WAVLM_BASE", "a WavLM network"), ("MMS_FA:mos", "no adapters"), ("omniASR_W2V_300M:mos", "no adapters")],
)
def test_what_could_not_be_used_is_not_downloaded(
    reference: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOWRES_CACHE", str(tmp_path))
    monkeypatch.setattr(backbones, "fetch", None)
    with pytest.raises(CheckpointError, match=told):
        get_backbone(reference, ignore)


def test_the_revision_stays_that_of_the_weights_when_a_language_is_added(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = get_backbone(NAME, ignore).path
    newer = hub.listing().replace(REVISION.encode(), b"f" * 40)
    monkeypatch.setattr(hub, "listing", lambda: newer)
    get_backbone(f"{NAME}:mos", ignore)
    origin = read_origin(folder)
    assert origin is not None
    assert origin.revision == REVISION


def test_a_repository_without_a_network_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.files = {"README.md": b"hello"}
    with pytest.raises(CheckpointError, match="holds no network"):
        get_backbone("somebody/words", ignore)
    assert left_in(tmp_path / "cache") == []


def test_an_answer_that_is_no_listing_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.files = {}
    with pytest.raises(CheckpointError, match="did not answer with a list of files"):
        get_backbone(NAME, ignore)
    assert left_in(tmp_path / "cache") == []


def test_adding_a_language_leaves_the_network_as_it_is_whatever_its_home_has_added(
    hub: Hub, published: dict[str, bytes]
) -> None:
    hub.files = {name: contents for name, contents in published.items() if name != "model.safetensors"}
    folder = get_backbone(NAME, ignore).path
    hub.files, hub.asked = dict(published) | {"processor_config.json": b"{}"}, []
    get_backbone(f"{NAME}:mos", ignore)
    settings = ["config.json", "download.json", "preprocessor_config.json"]
    assert sorted(path.name for path in folder.iterdir()) == ["adapter.mos.safetensors", *settings, "pytorch_model.bin"]
    assert len(hub.asked) == 2  # the listing and the adapters


def test_an_endpoint_that_is_no_address_is_named(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "hf-mirror.com")
    with pytest.raises(CheckpointError, match=r"HF_ENDPOINT is hf-mirror\.com, which is no address") as refusal:
        get_backbone(NAME, ignore)
    assert "https://hf-mirror.com" in refusal.value.hint
    assert left_in(tmp_path / "cache") == []


def test_a_disk_that_is_too_small_is_named_before_anything_is_downloaded(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backbones, "_MARGIN_BYTES", 10**18)
    with pytest.raises(CheckpointError, match="GB left"):
        get_backbone(NAME, ignore)
    assert len(hub.asked) == 1


def _one_file(hub: Hub, contents: bytes, sha256: str) -> CatalogueEntry:
    hub.files["their.pt"] = contents
    entry = CatalogueEntry(name="their_W2V", home="torchaudio", parameters=1, languages=1, licence="MIT", about="x")
    return entry.model_copy(update={"url": f"http://127.0.0.1:{hub.server_port}/their.pt", "sha256": sha256})


def test_a_backbone_of_one_file_is_compared_with_the_catalogues_hash(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = _one_file(hub, b"weights", hashlib.sha256(b"weights").hexdigest())
    monkeypatch.setattr(backbones, "find_entry", lambda name: entry)
    assert get_backbone("their_W2V", ignore).is_checked
    assert left_in(tmp_path / "cache") == ["download.json", "their.pt"]


def test_a_file_with_another_hash_is_refused_and_nothing_is_left(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = _one_file(hub, b"something else", hashlib.sha256(b"weights").hexdigest())
    monkeypatch.setattr(backbones, "find_entry", lambda name: entry)
    with pytest.raises(CheckpointError, match="is not the file that it was"):
        get_backbone("their_W2V", ignore)
    assert left_in(tmp_path / "cache") == []


def test_the_command_downloads_and_says_how_to_use_it(hub: Hub) -> None:
    result = runner.invoke(app, ["backbones", "get", "facebook/mms-300m"])
    assert result.exit_code == 0, result.output
    assert "lowres finetune --set finetune.backbone=facebook/mms-300m" in result.stdout
    assert "licence: CC-BY-NC-4.0" in result.stdout
    assert "allows no commercial use" in result.stderr


def test_the_command_lists_size_languages_licence_and_what_is_here(hub: Hub) -> None:
    get_backbone(NAME, ignore)
    result = runner.invoke(app, ["backbones"], env={"COLUMNS": "80"})
    lines = result.stdout.splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith(NAME))
    assert lines[first].split() == [NAME, "317", "million", "128", "Apache-2.0"]
    assert lines[first + 1].split()[-6:] == ["1.3", "GB", "here", "commercial", "use:", "yes"]
    assert max(map(len, lines[:-2])) <= 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["get"], "error: Which backbone?"),
        (["list", "xls-r"], "error: list takes no name."),
        (["get", "xls-r"], "error: There is no backbone called 'xls-r'"),
        (["get", "somebody/nothing"], "cannot be downloaded"),
        (["get", "größe/modell"], "error: There is no backbone called 'größe/modell'"),
    ],
)
def test_what_cannot_be_downloaded_is_one_sentence(
    hub: Hub, tmp_path: Path, arguments: list[str], message: str
) -> None:
    hub.server_close()
    result = runner.invoke(app, ["backbones", *arguments])
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("error:") == 1
    assert left_in(tmp_path / "cache") == []
