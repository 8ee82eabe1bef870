"""训练拆解模型: refit the decomposer's models from annotated documents; deterministic.

    python scripts/train_decomposer.py EVAL_DIR [--gold-only] [--as-of 2026-11-27]

Learns from EVAL_DIR/gold, from policies/models/annotations (offsets into EVAL_DIR/raw) and from the texts written for the
project (policies/models/written). Writes policies/models/decompose.npz (plain arrays) and decompose.json (its facts).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from policies.decompose.learn import load_annotated, load_taught, model_facts
from policies.decompose.linear import save_models
from policies.decompose.pipeline import MODELS
from policies.decompose.training import train


def main() -> int:
    """命令行入口: train on every annotated document and store the models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--as-of", default="", help="模型卡上的日期")
    parser.add_argument("--gold-only", action="store_true", help="不用项目自己的标注和范文")
    args = parser.parse_args()
    docs = load_annotated(args.root) if args.gold_only else load_taught(args.root)
    models = train(docs)
    save_models(MODELS, models, model_facts(docs, models, args.as_of))
    print(f"{len(docs)} 份文件，{MODELS.stat().st_size // 1024} KB → {MODELS}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
