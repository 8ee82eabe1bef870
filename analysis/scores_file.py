"""评分模型存取: a ScoreModel as parts for store.scores, and back."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from analysis.scores import ScoreModel
from store.scores import ModelFileError, load_model, save_model


def save(model: ScoreModel, home: Path, card: dict[str, Any], current: bool = True) -> str:
    """存模型: returns its version; `current` makes it the one that is used."""
    return save_model({f.name: getattr(model, f.name) for f in fields(model)}, home, card, current)


def load(home: Path, version: str = "") -> ScoreModel:
    """取模型: of a version, or the current one. Raises ModelFileError, FileNotFoundError."""
    parts = load_model(home, version)
    if set(parts) != {f.name for f in fields(ScoreModel)}:
        raise ModelFileError(f"评分模型 {version or '（当前）'} 是旧格式，请重新学习（huiqi scores train）")
    return ScoreModel(**parts)
