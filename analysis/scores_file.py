"""评分模型存取: a ScoreModel as plain parts for store.scores, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from analysis.scores import ScoreModel
from store.scores import load_model, save_model


def save(model: ScoreModel, home: Path, card: dict[str, Any]) -> str:
    """存模型: returns its version."""
    plain = {
        "names": model.names,
        "scorers": model.scorers,
        "keys": [[*key, name] for key, name in model.keys.items()],
        "asked": [[*key, rate] for key, rate in model.asked.items()],
        "combiner": model.combiner,
        "seed": model.seed,
    }
    return save_model(plain, home, card)


def load(home: Path, version: str = "") -> ScoreModel:
    """取模型: of a version, or the current one."""
    plain = load_model(home, version)
    keys = {(i, b, c): name for i, b, c, name in plain["keys"]}
    asked = {(i, b, c): rate for i, b, c, rate in plain["asked"]}
    return ScoreModel(plain["names"], plain["scorers"], keys, asked, plain["combiner"], plain["seed"])
