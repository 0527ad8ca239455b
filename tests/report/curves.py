"""Made-up learning curves and cross-validations, for the tests of their words and pages."""

from lowres.report.cross_validation_contents import (
    CrossValidationContents,
    FoldFacts,
    MeasuredRate,
    OfficialResult,
    Pooled,
    SpeakerResult,
)
from lowres.report.curve_contents import CurveContents, CurvePoint, PointRate, Target
from lowres.scoring.bootstrap import Interval

HOSTILE = "<script>alert(1)</script>\u202e'\""
HOURS = (1 / 6, 0.5, 1.0, 2.0, 4.0)


def point(hours: float, letters: float, words: float, run: str = "") -> CurvePoint:
    return CurvePoint(
        run=run or f"curve-{hours:g}-seed1",
        label=f"{hours:g}h",
        hours=hours,
        num_utterances=round(hours * 1000),
        updates=2500,
        seed=1,
        words=PointRate(words, Interval(words - 0.02, words + 0.02, 500), 0.01),
        characters=PointRate(letters, Interval(letters - 0.01, letters + 0.01, 500), 0.015),
    )


def make_curve(num_points: int = 5, *, wanted: Target | None = None, scale: float = 0.4) -> CurveContents:
    """A curve of 0.4 h^-0.3 letters, or another scale, and 0.8 h^-0.2 words."""
    points = tuple(point(hours, scale * hours**-0.3, 2 * scale * hours**-0.2) for hours in HOURS[:num_points])
    return CurveContents(
        language=f"Mboshi {HOSTILE}",
        corpus_name="mboshi",
        split="dev",
        num_utterances=514,
        seconds=1585.0,
        points=points,
        hours_there=4.02,
        wanted=wanted,
        cautions=("All points are scored on dev.", f"A caution {HOSTILE}"),
        facts=(("Recipe", "mboshi, sha256 0123456789abcdef"),),
    )


def rate(error_rate: float, deviation: float = 0.01) -> MeasuredRate:
    return MeasuredRate(error_rate, Interval(error_rate - 0.02, error_rate + 0.02, 100), deviation)


def make_cross_validation(
    letters: tuple[float, ...] = (0.2, 0.14, 0.11), *, deviation: float = 0.01, official: bool = True
) -> CrossValidationContents:
    """Three speakers, the worst heard first, the last of them with a hostile name."""
    names = ("abiayi", "kouarata", f"martial {HOSTILE}")
    results = tuple(
        SpeakerResult(
            speaker=name,
            fold=f"0{number}-{name[:5]}",
            num_utterances=100 * number,
            seconds=600.0 * number,
            letters=rate(error_rate, deviation),
            words=rate(2 * error_rate, 2 * deviation),
            official=(rate(error_rate - 0.05), rate(2 * error_rate - 0.1)) if official and number < 3 else None,
            is_known_there=official and number < 3,
        )
        for number, (name, error_rate) in enumerate(zip(names, letters, strict=False), start=1)
    )
    folds = tuple(
        FoldFacts(
            result.fold, (result.speaker,), 1.0, 1100, 2500, 236 if result.fold[1] == "2" else 0, 509.0, 0, 0.0, 0
        )
        for result in results
    )
    pooled = Pooled(0.16, Interval(0.155, 0.165, 5000), Interval(0.11, 0.2, 3))
    return CrossValidationContents(
        language="Mboshi",
        corpus_name="mboshi",
        hours_label="1h",
        is_single=True,
        results=results,
        folds=folds,
        letters=pooled,
        words=pooled,
        official=OfficialResult("finetune-1h-seed1", "dev", 514, 3, 3, rate(0.1), rate(0.2)) if official else None,
        cautions=("Fewer than 5 speakers were left out.",),
        facts=(("Seed", "1"),),
    )
