"""Write policies/calendar.csv: only the days on which the official calendar differs from Monday to Friday.

Usage: python scripts/make_calendar.py OFFICIAL.csv   (columns date, is_workday, holiday_name)
"""

from __future__ import annotations

import csv
import sys
from datetime import date
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "policies" / "calendar.csv"
NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
}


def main(source: Path) -> None:
    """Read the day-by-day table, write the differences."""
    with source.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    with OUT.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["日期", "安排", "节日"])
        for row in rows:
            works, usual = row["is_workday"] == "1", date.fromisoformat(row["date"]).isoweekday() <= 5
            if works != usual:
                name = row["holiday_name"]
                writer.writerow([row["date"], "班" if works else "休", NAMES.get(name, name)])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
