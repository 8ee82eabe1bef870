"""标注进出: annotations with quotes to the project's offsets, and back.

    python scripts/annotations.py keep EVAL_DIR FOLDER        FOLDER/<stem>.json (as EVAL_DIR/GUIDE.md says) → policies/models/annotations
    python scripts/annotations.py show EVAL_DIR FOLDER        policies/models/annotations → FOLDER/<stem>.json with quotes
    python scripts/annotations.py agree EVAL_DIR FOLDER       FOLDER/<stem>.json scored against EVAL_DIR/gold

The project keeps no sentence of the shared texts: what `show` writes stays outside it. `show` gives plain quotes, so
that EVAL_DIR/gold_tool.py can check them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from eval_decomposer import load_scorer

from engine.text import cut_clauses
from policies.decompose.annotations import FOLDER, quoted, stored


def lines(kept: Mapping[str, Any]) -> str:
    """成文: a stored annotation as JSON, one line an entry, so that a diff shows what was corrected."""

    def one(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def block(holder: Mapping[str, Any], pad: str) -> str:
        parts = []
        for key, value in holder.items():
            if key in ("benefits", "conditions"):
                rows = f",\n{pad}  ".join(one(v) for v in value)
                parts.append(f'{pad}"{key}": [\n{pad}  {rows}]')
            else:
                parts.append(f'{pad}"{key}": {one(value)}')
        return "{\n" + ",\n".join(parts) + "}"

    head = {k: v for k, v in kept.items() if k not in ("general", "items")}
    top = [f' "{k}": {one(v)}' for k, v in head.items()]
    top.append(' "general": ' + (block(kept["general"], "  ") if kept["general"] else "{}"))
    top.append(' "items": [' + ",\n  ".join(block(i, "   ") for i in kept["items"]) + "]")
    return "{\n" + ",\n".join(top) + "\n}\n"


def keep(root: Path, folder: Path) -> None:
    """存: every annotation of a folder as offsets into the project."""
    FOLDER.mkdir(exist_ok=True)
    for path in sorted(folder.glob("*.json")):
        gold = json.loads(path.read_text(encoding="utf-8"))
        text = (root / "raw" / f"{path.stem}.txt").read_text(encoding="utf-8")
        (FOLDER / path.name).write_text(lines(stored(gold, text)), encoding="utf-8")
        print(f"{path.stem}：{len(gold['clauses'])} 条，{len(gold['items'])} 项")


def show(root: Path, folder: Path) -> None:
    """取: every stored annotation with its quotes, into a folder outside the project."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(FOLDER.glob("*.json")):
        text = (root / "raw" / f"{path.stem}.txt").read_text(encoding="utf-8")
        gold = quoted(json.loads(path.read_text(encoding="utf-8")), path.stem, text)
        for holder in (gold["general"], *gold["items"]):
            for name in ("exclusions", "materials"):
                holder[name] = [e["quote"] for e in holder[name]]
        (folder / path.name).write_text(json.dumps(gold, ensure_ascii=False, indent=1), encoding="utf-8")


def agree(root: Path, folder: Path) -> None:
    """对照: a second annotation of gold documents, scored as a decomposition is."""
    scorer = load_scorer(root / "score_decomposition.py")
    tally = scorer.Tally()
    for path in sorted(folder.glob("*.json")):
        gold = json.loads((root / "gold" / path.name).read_text(encoding="utf-8"))
        text = (root / "raw" / gold["file"]).read_text(encoding="utf-8")
        own = json.loads(path.read_text(encoding="utf-8"))
        spans = cut_clauses(text)
        clauses = [
            {"start": a, "end": b, "roles": own["clauses"][str(n)]} for n, (a, b) in enumerate(spans, 1)
        ]
        scorer.score(gold, own | {"clauses": clauses}, text, tally)
    for name, r in tally.table().items():
        print(f"{name:13} F1 {r['f1']:.3f}  ({r['predicted']} own, {r['gold']} gold)")


def main() -> int:
    """命令行入口."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("keep", "show", "agree"))
    parser.add_argument("root", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    {"keep": keep, "show": show, "agree": agree}[args.what](args.root, args.folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
