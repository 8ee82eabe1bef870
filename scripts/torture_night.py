"""Kill -9 whole nights at random moments: python scripts/torture_night.py [kills] [seed]; the last must equal an undisturbed one."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.torture import new_postgres
from tests.jobs.torture_night import campaign
from tests.postgres import server


def main(kills: int, seed: int) -> None:
    """Half of the kills on SQLite, half on PostgreSQL."""
    with server() as url:
        for kind in ("sqlite", "postgresql"):
            with tempfile.TemporaryDirectory() as folder:
                pair = (
                    [f"sqlite:///{folder}/{n}.db" for n in "ab"]
                    if kind == "sqlite"
                    else [new_postgres(url), new_postgres(url)]
                )
                died = campaign(*pair, Path(folder), kills // 2, seed)
            print(f"night: {kind}, {died} kills, the last equal to an undisturbed one", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
