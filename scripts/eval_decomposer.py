"""评测拆解: leave-one-city-out figures of the decomposer with the evaluation's own scorer.

    python scripts/eval_decomposer.py EVAL_DIR [--out DIR] [--check FLOORS.json] [--cities A,B] [--gold-only]

EVAL_DIR holds raw/, gold/, documents.csv and score_decomposition.py. Every document of gold/ is decomposed by models
trained without any document of its city, and scored; the project's own annotations (policies/models/annotations) and
written texts (policies/models/written, of no city) only train, those of the held-out city left out as well (all of them
with --gold-only).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from policies.decompose.features import clause_features
from policies.decompose.learn import load_annotated, load_taught
from policies.decompose.pipeline import decompose
from policies.decompose.training import train


def load_scorer(path: Path) -> ModuleType:
    """评分器: the evaluation's scorer as a module."""
    spec = importlib.util.spec_from_file_location("score_decomposition", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"读不了评分器 {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> int:
    """命令行入口: print the table; exit 1 where a figure is under its floor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--check", type=Path)
    parser.add_argument("--cities", default="")
    parser.add_argument("--gold-only", action="store_true", help="不用项目自己的标注和范文")
    args = parser.parse_args()
    scorer = load_scorer(args.root / "score_decomposition.py")
    docs = load_annotated(args.root)
    taught = docs if args.gold_only else load_taught(args.root)
    rows = {d.stem: clause_features(d.clauses) for d in taught}
    tally = scorer.Tally()
    for city in sorted({d.city for d in docs}):
        if args.cities and city not in args.cities.split(","):
            continue
        models = train([d for d in taught if d.city != city], rows)
        for d in (d for d in docs if d.city == city):
            answer = decompose(d.text, models).as_json()
            scorer.score(d.gold, answer, d.text, tally)
            if args.out:
                args.out.mkdir(parents=True, exist_ok=True)
                (args.out / f"{d.stem}.json").write_text(json.dumps(answer, ensure_ascii=False, indent=1))
    table = tally.table()
    for name, r in table.items():
        print(
            f"{name:13} F1 {r['f1']:.3f}  precision {r['precision']:.3f}  recall {r['recall']:.3f}"
            f"  ({r['predicted']} predicted, {r['gold']} gold)"
        )
    if args.check:
        floors = json.loads(args.check.read_text(encoding="utf-8"))
        low = {k: v for k, v in floors.items() if table[k]["recall" if k == "window" else "f1"] < v}
        for name, floor in low.items():
            print(f"{name} 低于下限 {floor}", file=sys.stderr)
        return 1 if low else 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
