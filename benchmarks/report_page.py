"""How long a report of 20,000 utterances takes to open, how smoothly it scrolls, and how large it is.

    uv run python benchmarks/report_page.py [--utterances 20000] [--tries 3] [--keep report.html]

The transcripts are made up: some ten words each, a third of them heard wrong. The page is opened in headless Chromium,
which draws without a graphics card. "Open" is from the start of navigation until the list can be used; "scroll" is the
time between two frames while 300 pixels are scrolled in each, and while the bar is dragged from top to bottom in 50
steps; 95 of 100 frames take less than what is printed. The page is opened once more with 8 MB of recordings in it. The
best of the tries counts, since other work on the machine only ever makes it slower. The last line is JSON.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lowres.report.contents import Provenance, ReportContents, SplitFacts, TrainingOverlap
from lowres.report.page import render_page
from lowres.report.recordings import BUDGET_BYTES
from lowres.scoring.scorecard import ScoredText, score
from lowres.text.graphemes import split_graphemes

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from browser import open_browser  # the tests' browser

SYLLABLES = ("ba", "bá", "dzé", "dze", "kɔ", "kɔ́", "mwa", "ná", "ngɛ", "tsi", "wú", "yé")
SCROLL = """async ([steps, pixels]) => {
  const box = document.querySelector("#listed");
  scrollTo(0, scrollY + box.getBoundingClientRect().top);
  const size = pixels || Math.floor(box.offsetHeight / steps);
  const frames = [];
  let before = await new Promise(requestAnimationFrame);
  for (let step = 0; step < steps; step++) {
    scrollBy(0, size);
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - before);
    before = now;
  }
  return frames;
}"""


def make_words(draw: random.Random, number: int) -> list[str]:
    """Make words of one to four syllables."""
    return ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 4))) for _ in range(number)]


def mishear(draw: random.Random, words: list[str]) -> list[str]:
    """Hear a third of the words wrong: a syllable changed, the word left out, or another added."""
    heard = []
    for word in words:
        chance = draw.random()
        if chance < 0.04:
            continue
        heard.append(word.replace(draw.choice(SYLLABLES), draw.choice(SYLLABLES)) if chance < 0.6 else word)
        if chance > 0.97:
            heard += make_words(draw, 1)
    return heard


def make_contents(num_utterances: int) -> ReportContents:
    """Make a report's contents."""
    draw = random.Random(1)
    said = [make_words(draw, draw.randint(3, 18)) for _ in range(num_utterances)]
    heard = [" ".join(mishear(draw, words)) for words in said]
    references = [" ".join(words) for words in said]
    text = ScoredText(
        utterance_ids=[
            f"speaker{number % 40:02d}/session{number // 400:03d}_{number:06d}" for number in range(num_utterances)
        ],
        speakers=[f"speaker{number % 40:02d}" for number in range(num_utterances)],
        durations_seconds=[round(0.3 * len(words) + draw.random(), 2) for words in said],
        references=references,
        raw_references=references,
        hypotheses=heard,
    )
    return ReportContents(
        text=text,
        scorecard=score(text, training_counts={}, split_graphemes=split_graphemes),
        provenance=Provenance("Made up", "", "made-up", "made-up", "test", synthetic=True, text_rules=()),
        split_facts=SplitFacts(TrainingOverlap(40, (), num_utterances, 0)),
    )


def measure(path: Path) -> dict[str, float]:
    """Open a page and use it.

    Returns:
        Seconds and milliseconds as a reader sees them, and those (`cpu`) that the page's thread computed for, which do
        not depend on what else the machine does.
    """
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        meter = page.context.new_cdp_session(page)
        meter.send("Performance.enable", {"timeDomain": "threadTicks"})

        def computed() -> float:
            metrics = {one["name"]: one["value"] for one in meter.send("Performance.getMetrics")["metrics"]}
            return float(metrics["TaskDuration"])

        page.goto(path.as_uri())
        found = {
            "open_seconds": page.evaluate("performance.getEntriesByName('usable')[0].startTime") / 1000,
            "open_cpu_seconds": computed(),
        }
        for name, steps, pixels in (("scroll", 300, 300), ("drag", 50, 0)):
            before = computed()
            frames = np.array(page.evaluate(SCROLL, [steps, pixels]))
            found[f"{name}_median_frame_ms"] = float(np.median(frames))
            found[f"{name}_frame_ms"] = float(np.quantile(frames, 0.95))
            found[f"{name}_cpu_ms"] = 1000 * (computed() - before) / steps
        started = time.perf_counter()
        page.fill("#find-text", "dzé kɔ́")
        while " of " not in (page.text_content("#found") or ""):
            page.wait_for_timeout(5)
        found["search_seconds"] = time.perf_counter() - started
    return found


def main() -> None:
    """Make the page, open it, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=20_000)
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="write the page here and leave it there")
    asked = parser.parse_args()
    started = time.perf_counter()
    contents = make_contents(asked.utterances)
    scored = time.perf_counter()
    page = render_page(contents, split=split_graphemes, recordings={})
    print(f"scored in {scored - started:.1f} s, page made in {time.perf_counter() - scored:.1f} s")
    size = BUDGET_BYTES // 2_000
    recordings = dict.fromkeys(range(2_000), "data:audio/mpeg;base64," + "A" * size)
    sound = render_page(contents, split=split_graphemes, recordings=recordings)
    with tempfile.TemporaryDirectory() as folder:
        silent, loud = asked.keep or Path(folder) / "silent.html", Path(folder) / "loud.html"
        silent.write_text(page, encoding="utf-8")
        loud.write_text(sound, encoding="utf-8")
        tries = [measure(silent) for _ in range(asked.tries)]
        with_sound = [measure(loud)["open_seconds"] for _ in range(asked.tries)]
    for one in tries:
        print({name: round(value, 2) for name, value in one.items()})
    best = {name: round(min(one[name] for one in tries), 3) for name in tries[0]}
    result = {
        "utterances": asked.utterances,
        "megabytes": round(len(page.encode("utf-8")) / 1e6, 2),
        **best,
        "open_with_recordings_seconds": round(min(with_sound), 3),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
