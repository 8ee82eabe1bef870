"""画像分类器训练: fit, measure and write the text classifiers of the portrait, deterministically.

    python scripts/train_portrait.py ../shared/data [--measure-only]

Training text: names, definitions and listed activities of GB/T 4754-2017, and the product lines of the
strategic-emerging classification of 2018. Measures: trained on the notes alone and tested on the product lines, and
the other way round. The official notes repeat many of those product lines word for word; such repeats are left out
of the training text of the measure (figures with them are given beside it).
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from profiles import tables  # noqa: E402
from profiles.portrait_calibration import (  # noqa: E402
    cross_fitted,
    expected_calibration_error,
    first_two,
    fit_calibration,
)
from profiles.portrait_linear import save_arrays  # noqa: E402
from profiles.portrait_text import ACCEPT, LEVELS, IndustryClassifier  # noqa: E402
from profiles.portrait_theme import ThemeClassifier  # noqa: E402

TARGET = ROOT / "profiles" / "portrait"


@dataclass
class Texts:
    """训练文本: texts, their 小类 and their weights."""

    texts: list[str]
    codes: list[str]
    weights: list[float]

    def add(self, text: str, code: str, weight: float) -> None:
        if text.strip():
            self.texts.append(text.strip())
            self.codes.append(code)
            self.weights.append(weight)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def plain(text: str) -> str:
    """For comparing texts: NFKC, no brackets, lower case."""
    return re.sub(r"[（(].*?[）)]", "", unicodedata.normalize("NFKC", text)).lower().strip()


def note_texts(source: Path, without: set[str]) -> Texts:
    """标准注释: name, notes and each listed activity of every 小类; and what other classes send to it."""
    found = Texts([], [], [])
    for row in rows_of(source / "gbt4754_2017_industry.csv"):
        if row["level"] != "4":
            continue
        found.add(row["name"], row["code"], 3.0)
        note, definition = row["standard_note"], row["definition"]
        found.add(note, row["code"], 2.0)
        if not (note and definition.startswith(note)):
            found.add(definition, row["code"], 2.0)
        for activity in row["includes"].split(" | "):
            if plain(activity) not in without:
                found.add(activity, row["code"], 1.0)
    for row in rows_of(source / "gbt4754_2017_excludes_xref.csv"):
        if len(row["goes_to_code"]) == 4:
            found.add(row["excluded_activity"], row["goes_to_code"], 1.0)
    return found


def strategic_lines() -> tuple[list[str], list[str]]:
    """产品服务行: one text a line (leaf and its key products) with its 4-digit code."""
    lines = tables.read("strategic_emerging_2018")
    return [f"{r['leaf']}；{r['partial_products'].replace(' | ', '；')}" for r in lines], [
        r["gb_code"] for r in lines
    ]


def strategic_texts() -> Texts:
    """产品服务行: the same, product by product, for training."""
    found = Texts([], [], [])
    for row in tables.read("strategic_emerging_2018"):
        found.add(row["leaf"], row["gb_code"], 1.0)
        for product in row["partial_products"].split(" | "):
            found.add(product, row["gb_code"], 1.0)
    return found


def sections() -> dict[str, str]:
    return {code: letter for code, letter in tables.industry_sections().items() if len(code) == 2}


def fitted(texts: Texts) -> IndustryClassifier:
    return IndustryClassifier(sections()).fit(texts.texts, texts.codes, texts.weights)


def measure(
    model: IndustryClassifier, texts: Sequence[str], codes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Accuracy, cross-fitted ECE and abstained share at each level; the calibration is fitted on four fifths."""
    probability = model.probabilities(model.texts(texts))
    found = {}
    for level in LEVELS:
        sums, names = model.at_level(probability, level)
        right = names[sums.argmax(axis=1)] == np.array([model.code_at(c, level) for c in codes])
        top, second = first_two(sums)
        stated = cross_fitted(top, second, right)
        said = stated >= ACCEPT
        found[level] = {
            "accuracy": round(float(right.mean()), 4),
            "ece": round(expected_calibration_error(stated, right), 4),
            "ece_uncalibrated": round(expected_calibration_error(top, right), 4),
            "abstained": round(float(1 - said.mean()), 4),
            "accuracy_of_said": round(float(right[said].mean()), 4) if said.any() else 0.0,
        }
        model.calibration_[level] = fit_calibration(top, second, right)
    return found


def reverse(source: Path) -> tuple[list[str], list[str]]:
    """The other way round: one text a 小类 that has product lines: its note, definition and activities."""
    texts, codes = [], []
    covered = {r["gb_code"] for r in tables.read("strategic_emerging_2018")}
    repeated = repeats()
    for row in rows_of(source / "gbt4754_2017_industry.csv"):
        if row["code"] in covered:
            activities = [a for a in row["includes"].split(" | ") if plain(a) not in repeated]
            texts.append("；".join([row["name"], row["standard_note"] or row["definition"], *activities]))
            codes.append(row["code"])
    return texts, codes


def repeats() -> set[str]:
    """Product lines, to be left out of the notes where these repeat them."""
    found = set()
    for row in tables.read("strategic_emerging_2018"):
        found |= {plain(p) for p in row["partial_products"].split(" | ")} | {plain(row["leaf"])}
    return found - {""}


def theme_material(source: Path) -> tuple[list[str], list[str], list[str]]:
    """主题: product texts with their theme and their leaf (the group of cross-validation); and texts of no theme."""
    texts, themes, groups = [], [], []
    lines = tables.read("strategic_emerging_2018")
    for row in lines:
        for product in (row["leaf"], *row["partial_products"].split(" | ")):
            if product.strip():
                texts.append(product.strip())
                themes.append(row["level1"])
                groups.append(row["leaf"])
    covered = {r["gb_code"] for r in lines}
    for row in rows_of(source / "gbt4754_2017_industry.csv"):
        if row["level"] == "4" and row["code"] not in covered:
            for text in (row["name"], row["standard_note"], *row["includes"].split(" | ")[:4]):
                if text.strip():
                    texts.append(text.strip())
                    themes.append("")
                    groups.append(row["code"])
    return texts, themes, groups


def main() -> None:
    """训练并写出."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="folder of the reference data")
    parser.add_argument("--measure-only", action="store_true")
    options = parser.parse_args()
    lines, codes = strategic_lines()
    card: dict[str, object] = {}
    honest = fitted(note_texts(options.source, repeats()))
    card["notes_to_lines"] = measure(honest, lines, codes)
    card["notes_to_lines_with_repeats"] = measure(fitted(note_texts(options.source, set())), lines, codes)
    texts, labels = reverse(options.source)
    card["lines_to_notes"] = measure(fitted(strategic_texts()), texts, labels)
    card["lines"], card["notes"] = len(lines), len(texts)
    everything, more = note_texts(options.source, repeats()), strategic_texts()
    everything.texts += more.texts
    everything.codes += more.codes
    everything.weights += more.weights
    model = fitted(everything)
    model.calibration_ = honest.calibration_
    theme = ThemeClassifier().fit(*theme_material(options.source))
    card["themes"] = theme.measures_
    print(json.dumps(card, ensure_ascii=False, indent=1))
    if not options.measure_only:
        save_arrays(TARGET / "industry.npz", model.arrays())
        save_arrays(TARGET / "themes.npz", theme.arrays())
        (TARGET / "model_card.json").write_text(
            json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
