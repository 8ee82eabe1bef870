"""Kill -9 the office's day again and again: python scripts/torture.py [--kills 500] [--campaigns 20] [--only sqlite].

Half of the kills are at named points (store/faults.py), half at moments drawn at random; one or two children at once;
SQLite and a PostgreSQL started for it. Ends with 1 as soon as an effect or a fen is lost or doubled.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import uuid
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.jobs.torture import IN_A_DAY, Campaign
from tests.postgres import server


def new_postgres(url: str) -> str:
    """A fresh database on the server."""
    name = f"torture_{uuid.uuid4().hex[:10]}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def main() -> None:
    """Run the campaigns and print what was survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--campaigns", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--postgres", default="")
    given = parser.parse_args()
    began = time.monotonic()
    kills = {"sqlite": 0, "postgresql": 0}
    points: dict[str, Counter[str]] = {"sqlite": Counter(), "postgresql": Counter()}
    with ExitStack() as stack:
        kinds = [given.only] if given.only else ["sqlite", "postgresql"]
        url = given.postgres or (stack.enter_context(server()) if "postgresql" in kinds else "")
        for number in range(given.campaigns):
            kind = kinds[number % len(kinds)]
            with tempfile.TemporaryDirectory() as folder:
                where = f"sqlite:///{folder}/t.db" if kind == "sqlite" else new_postgres(url)
                campaign = Campaign(where, Path(folder), given.seed + number)
                campaign.run(-(-given.kills // given.campaigns))
            kills[kind] += campaign.kills
            points[kind] += campaign.points
            print(f"campaign {number + 1}: {kind}, {campaign.kills} kills, all whole", flush=True)
    total, named = sum(kills.values()), sum(c.total() for c in points.values())
    print(
        f"{total} kills ({named} at named points, {total - named} at random moments; {kills['sqlite']} on SQLite, "
        f"{kills['postgresql']} on PostgreSQL) in {time.monotonic() - began:.0f} s: no effect lost, none twice, "
        "no money lost"
    )
    for kind in kinds:
        print(f"by point, {kind}: " + ", ".join(f"{name} {points[kind][name]}" for name in IN_A_DAY))
    missed = [f"{name} on {kind}" for kind in kinds for name in IN_A_DAY if not points[kind][name]]
    # Fewer kills than points can't have been at each of them.
    if missed and given.kills >= given.campaigns * len(IN_A_DAY) and given.campaigns >= len(kinds):
        sys.exit(f"nothing was killed at {', '.join(missed)}")


if __name__ == "__main__":
    main()
