"""官方分类表: derive profiles/tables/*.csv from the reference data, keeping codes, names and thresholds.

The explanatory notes of GB/T 4754 are left out on purpose: they serve as training text only and
reach the repository as fitted weights (scripts/train_portrait.py).

    python scripts/make_tables.py ../shared/data
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

TABLES = Path(__file__).resolve().parents[1] / "profiles" / "tables"

# target file → (source file, columns kept, new header)
PLAIN = {
    "sme_size_2017.csv": (
        "sme_size_2017.csv",
        [
            "industry",
            "gb4754_prefixes",
            "gb4754_excluded",
            "indicator",
            "unit",
            "large_min",
            "medium_min",
            "small_min",
        ],
    ),
    "strategic_emerging_2018.csv": (
        "strategic_emerging_2018_map.csv",
        ["gb_code", "gb_name", "partial", "level1", "level2", "leaf", "partial_products"],
    ),
    "hightech_manufacturing_2017.csv": (
        "hightech_manufacturing_2017.csv",
        ["gb_code", "gb_name", "partial", "category1", "partial_note"],
    ),
    "hightech_service_2018.csv": (
        "hightech_service_2018.csv",
        ["gb_code", "gb_name", "partial", "category1", "partial_note"],
    ),
    "digital_economy_core_2021.csv": (
        "digital_economy_core_2021.csv",
        ["gb_code", "gb_name", "partial", "category1"],
    ),
    "ip_intensive_2019.csv": ("ip_intensive_2019.csv", ["gb_code", "gb_name", "partial", "category1"]),
    "gbt4754_2017.csv": (
        "gbt4754_2017_industry.csv",
        ["code", "level", "name", "parent_code", "section_code"],
    ),
    "divisions_2026.csv": ("admin_divisions_2026.csv", ["code", "name", "level", "parent_code"]),
}


def rows_of(path: Path) -> list[dict[str, str]]:
    """One dictionary a row, every value as text."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def make(source: Path) -> None:
    """Write every table in the order of its source."""
    TABLES.mkdir(parents=True, exist_ok=True)
    for target, (name, columns) in PLAIN.items():
        with (TABLES / target).open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, columns, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows_of(source / name))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="folder of the reference data")
    make(parser.parse_args().source)
