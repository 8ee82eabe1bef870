"""评分模型库: models as files without executable content (skops), named by their hash, with a card beside each."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

TRUSTED = {"engine.score.ConditionScorer", "engine.score.PairCombiner"}
TREES = "sklearn.ensemble._hist_gradient_boosting."


class ModelFileError(ValueError):
    """模型文件错误: not the file its name says, or a file that holds more than our models."""


def save_model(plain: dict[str, Any], home: Path, card: dict[str, Any]) -> str:
    """存模型: returns its version (hash). `plain` holds estimators, texts, numbers, lists and dicts only."""
    import skops.io

    data = skops.io.dumps(plain)
    version = hashlib.sha256(data).hexdigest()[:16]
    folder = home / "scores"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{version}.skops").write_bytes(data)
    (folder / f"{version}.json").write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "current").write_text(version, encoding="utf-8")
    return version


def load_model(home: Path, version: str = "") -> dict[str, Any]:
    """取模型: the given version or the current one. Raises ModelFileError, FileNotFoundError."""
    import skops.io

    folder = home / "scores"
    version = version or (folder / "current").read_text(encoding="utf-8").strip()
    data = (folder / f"{version}.skops").read_bytes()
    if hashlib.sha256(data).hexdigest()[:16] != version:
        raise ModelFileError(f"评分模型 {version} 的内容与版本号不符，请重新训练（huiqi scores train）")
    needed = skops.io.get_untrusted_types(data=data)
    strange = [t for t in needed if t not in TRUSTED and not t.startswith(TREES)]
    if strange:
        raise ModelFileError(f"评分模型 {version} 含有不认识的类型：{'、'.join(strange)}")
    return skops.io.loads(data, trusted=needed)
