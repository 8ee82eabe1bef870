"""评分模型库: models as files without executable content (skops), named by their hash, with a card beside each.

`current` names the one in use; `previous` in a card the one it replaced. Nothing is ever overwritten.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any
from zipfile import ZipFile

TRUSTED = {
    "analysis.scores_ask.AskModel",
    "engine.score.ConditionScorer",
    "engine.score.Half",
    "engine.score.PairCombiner",
    "engine.score_features.FeaturePlan",
    "engine.score_screen.Chosen",
    "engine.text_space.TextSpace",
}
TREES = "sklearn.ensemble._hist_gradient_boosting."
AGAIN = "请重新学习（huiqi scores train）"


class ModelFileError(ValueError):
    """模型文件错误: not the file its name says, or a file that holds more than our models."""


def save_model(plain: dict[str, Any], home: Path, card: dict[str, Any], current: bool = True) -> str:
    """存模型: returns its version (hash). `plain` holds estimators, texts, numbers, lists and dicts only."""
    import skops.io

    data = skops.io.dumps(plain)
    version = hashlib.sha256(data).hexdigest()[:16]
    folder = home / "scores"
    folder.mkdir(parents=True, exist_ok=True)
    _put(folder / f"{version}.skops", data)
    write_card(home, version, card)
    if current:
        promote_model(home, version)
    return version


def load_model(home: Path, version: str = "") -> dict[str, Any]:
    """取模型: the given version or the current one. Raises ModelFileError, FileNotFoundError."""
    folder = home / "scores"
    version = version or current_version(home)
    path = folder / f"{version}.skops"
    if not version or not path.is_file():
        raise FileNotFoundError(f"没有评分模型 {version or '（还没有学过）'}，{AGAIN}")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest()[:16] != version:
        raise ModelFileError(f"评分模型 {version} 的内容与版本号不符，{AGAIN}")
    return _read(data, version)


def _read(data: bytes, version: str) -> dict[str, Any]:
    """What skops reads of a file whose types are ours: `get_untrusted_types` and `loads` would go through it once each, and each
    looks at every part of it more than once; a model of many rules has half a million."""
    from skops.io._audit import get_tree
    from skops.io._utils import read_schema

    with ZipFile(io.BytesIO(data)) as packed:
        tree = get_tree(*read_schema(packed), trusted=None)
        strange = sorted(t for t in tree.get_unsafe_set() if t not in TRUSTED and not t.startswith(TREES))
        if strange:
            raise ModelFileError(f"评分模型 {version} 含有不认识的类型：{'、'.join(strange)}")
        return tree.construct()


def current_version(home: Path) -> str:
    """当前版本, "" before the first."""
    path = home / "scores" / "current"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def promote_model(home: Path, version: str) -> None:
    """启用: a stored version becomes the current one. Raises FileNotFoundError."""
    folder = home / "scores"
    if version not in versions(home):
        raise FileNotFoundError(f"没有评分模型 {version}，已有：{'、'.join(versions(home)) or '无'}")
    _put(folder / "current", version.encode())


def versions(home: Path) -> list[str]:
    """各版本, in the order they were stored."""
    found = (home / "scores").glob("*.skops")
    return [p.stem for p in sorted(found, key=lambda p: (p.stat().st_mtime_ns, p.stem))]


def read_card(home: Path, version: str) -> dict[str, Any]:
    """模型卡."""
    path = home / "scores" / f"{version}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write_card(home: Path, version: str, card: dict[str, Any]) -> None:
    """写模型卡."""
    text = json.dumps(card, ensure_ascii=False, indent=1)
    _put(home / "scores" / f"{version}.json", text.encode())


def _put(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.part-{os.getpid()}")
    part.write_bytes(data)
    part.replace(path)
