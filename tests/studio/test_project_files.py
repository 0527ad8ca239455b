"""Nothing outside the project is read: not by paths, not by encoded paths, not through links, not by odd names."""

import os
from pathlib import Path

import pytest
from serving import open_studio
from visiting import Visitor
from working import make_project

from lowres.manifest.corpus import load_corpus, rewrite_corpus
from lowres.studio.desk import key_of
from lowres.studio.files import find_page
from lowres.studio.gate import page_address
from lowres.studio.server import Studio

SECRET = "only for its owner"
PLACES = [
    "../secret.html",
    "reports/../../secret.html",
    "reports/data/../../../secret.html",
    "%2e%2e/secret.html",
    "reports/%2e%2e/%2e%2e/secret.html",
    "reports/..%2f..%2fsecret.html",
    "reports/%252e%252e/%252e%252e/secret.html",
    "reports/..%5c..%5csecret.html",
    "reports\\..\\..\\secret.html",
    "/{outside}/secret.html",
    "%2f{outside}/secret.html",
    "reports//{outside}/secret.html",
    "reports/%00/secret.html",
    "reports/secret.html%00.html",
    "reports/./secret.html",
    "reports/" + "x" * 300 + ".html",
    "reports/" + "x/" * 3000 + "secret.html",
    "reports/%ff%fe.html",
    "lowres.toml",
    "corpus/manifest.tsv",
    "recordings/train/ana_00.txt",
    "runs/tiny/checkpoints/secret.html",
    "runs/../secret.html",
    "C:/secret.html",
    "reports/C:secret.html",
    "",
    "/",
    "reports",
]


@pytest.fixture
def secret(project: Path) -> Path:
    """A file beside the project, and a report inside it."""
    path = project.parent / "secret.html"
    path.write_text(SECRET, encoding="utf-8")
    (project / "reports" / "data").mkdir(parents=True)
    (project / "reports" / "data" / "report.html").write_text("<script>1</script>inside", encoding="utf-8")
    return path


def test_a_report_is_shown_in_a_box_of_its_own(secret: Path, studio: Studio, visitor: Visitor) -> None:
    address = page_address(studio.keys, "reports/data/report.html")
    assert address in visitor.get("/").text
    # A box has no cookies: the key in the address lets it in.
    answer = Visitor(studio.port).get(address)
    assert answer.text == "<script>1</script>inside"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy


def test_a_report_whose_name_is_not_utf8_is_listed_and_shown(secret: Path, studio: Studio, visitor: Visitor) -> None:
    name = os.fsdecode(b"mok\xf4")
    try:
        (secret.parent / "project" / "reports" / "data").rename(secret.parent / "project" / "reports" / name)
    except OSError:
        pytest.skip("this file system takes names in UTF-8 alone")
    address = page_address(studio.keys, f"reports/{name}/report.html")
    assert address in visitor.get("/").text
    assert visitor.get(address).text == "<script>1</script>inside"


def test_no_path_leads_out_of_the_project(secret: Path, studio: Studio, visitor: Visitor) -> None:
    prefix = page_address(studio.keys, "")
    for place in PLACES:
        answer = visitor.get(prefix + place.format(outside=str(secret.parent)))
        assert answer.status in (400, 403, 404), place
        assert SECRET not in answer.text, place


def test_a_link_out_of_the_project_is_not_followed(secret: Path, project: Path) -> None:
    (project / "reports" / "data" / "linked.html").symlink_to(secret)
    (project / "reports" / "elsewhere").symlink_to(secret.parent)
    (project / "runs").mkdir()
    (project / "runs" / "away").symlink_to(secret.parent)
    (secret.parent / "report.html").write_text(SECRET, encoding="utf-8")
    with open_studio(project) as studio:
        visitor = Visitor(studio.port).enter(studio.keys.token)
        prefix = page_address(studio.keys, "")
        places = ("reports/data/linked.html", "reports/elsewhere/secret.html", "reports/elsewhere/report.html")
        for place in (*places, "runs/away/report.html"):
            assert visitor.get(prefix + place).status == 404
        listed = visitor.get("/").text
        assert "elsewhere" not in listed
        assert "away" not in listed


def test_a_link_inside_the_project_is_followed(secret: Path, project: Path) -> None:
    (project / "reports" / "again").symlink_to(project / "reports" / "data")
    assert find_page(project, "reports/again/report.html") is not None


def test_a_corpus_that_a_link_leads_out_to_is_not_opened(prepared: Path, tmp_path: Path) -> None:
    project = make_project(tmp_path, like=prepared)
    (project / "corpus").rename(tmp_path / "elsewhere")
    (project / "corpus").symlink_to(tmp_path / "elsewhere")
    with open_studio(project) as studio:
        visitor = Visitor(studio.port).enter(studio.keys.token)
        answer = visitor.get("/corpus")
        assert answer.status == 422
        assert "a link that leads out of the project" in answer.text
        posted = visitor.post(f"/corpus/{key_of('train/ana_00')}", {"raw_text": "changed"})
        assert posted.status == 422
    assert not (project / "corrections.tsv").exists()
    assert "changed" not in (tmp_path / "elsewhere" / "manifest.tsv").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["shard", "corrections"])
def test_a_file_of_the_corpus_that_a_link_leads_out_to_is_not_used(project: Path, kind: str) -> None:
    outside = project.parent / "outside"
    if kind == "shard":
        shard = next((project / "corpus" / "shards").glob("*.pcm"))
        shard.rename(outside)
        shard.symlink_to(outside)
        target = f"/corpus/{key_of('train/ana_00')}/audio.wav"
    else:
        outside.write_text("", encoding="utf-8")
        (project / "corrections.tsv").symlink_to(outside)
        target = "/corpus"
    with open_studio(project) as studio:
        answer = Visitor(studio.port).enter(studio.keys.token).get(target)
        assert answer.status == 422
        assert "outside the project" in answer.text or "leads out of the project" in answer.text


def test_a_manifest_that_names_a_shard_elsewhere_is_not_believed(project: Path) -> None:
    (project.parent / "secret.pcm").write_bytes(SECRET.encode() * 4000)
    corpus = load_corpus(project / "corpus")
    rewrite_corpus(corpus, corpus.table.assign(shard="../../../secret.pcm"))
    with open_studio(project) as studio:
        visitor = Visitor(studio.port).enter(studio.keys.token)
        answer = visitor.get(f"/corpus/{key_of('train/ana_00')}/audio.wav")
        assert answer.status == 422
        assert SECRET.encode() not in answer.body


def test_an_odd_key_finds_nothing(visitor: Visitor) -> None:
    for key in ("..", "%2e%2e", "..%2f..%2fsecret", "%00", "0" * 20, "%F0%9F%98%80", "<script>", "-1"):
        for place in ("corpus/{}", "corpus/{}/audio.wav", "transcribe/{}", "transcribe/{}/recording"):
            assert visitor.get(f"/{place.format(key)}").status in (404, 405), (place, key)
        assert visitor.post(f"/corpus/{key}", {"raw_text": "x"}).status in (404, 405), key
