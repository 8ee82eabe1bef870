"""Kill -9 nights that write layers: python scripts/torture_layers.py [--kills 40] [--days 8] [--seed 1] [--only sqlite].

Half of the kills on SQLite, half on PostgreSQL; ends with 1 as soon as a night differs from the undisturbed one, or one
before it is not read, or not replayed, as it was.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.torture import new_postgres
from tests.jobs.torture_layers import LayersCampaign
from tests.postgres import server


def main() -> None:
    """One campaign on each database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--days", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    kinds = [given.only] if given.only else ["sqlite", "postgresql"]
    for kind in kinds:
        if kind == "sqlite":
            _campaign(kind, given, len(kinds), None)
        else:
            with server() as url:
                _campaign(kind, given, len(kinds), url)


def _campaign(kind: str, given: argparse.Namespace, kinds: int, server_url: str | None) -> None:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        urls = [
            f"sqlite:///{folder}/{n}.db" if server_url is None else new_postgres(server_url) for n in "ab"
        ]
        run = LayersCampaign(urls[0], urls[1], Path(folder) / "sides", given.seed)
        run.run(given.days, -(-given.kills // kinds))
    print(
        f"{kind}: {run.kills} kills in {time.monotonic() - begun:.0f} s ({dict(run.points)}), {run.nights} nights, "
        f"{run.patched} blocks with a layer more, {run.rewritten} written anew; all equal to undisturbed ones, "
        f"nights read again {run.read} times, all replayed",
        flush=True,
    )


if __name__ == "__main__":
    main()
