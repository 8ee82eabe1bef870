"""Draw the tour of docs/tour.md again: a demo of invented firms in a temporary folder, a browser that plays the steps, small pictures.

    .venv/bin/python scripts/make_tour.py [--home DIR]

Needs chromium and some minutes; with --home an office made before is used again.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "desk")]
NOW = datetime(2026, 6, 18, 1, 30, tzinfo=UTC)
QUALITY = 72


def make_office(home: Path) -> None:
    """两夜的演示: the demo, a second night, people with roles and firms of their own."""
    huiqi = [sys.executable, "-m", "jobs.cli"]
    env = {**os.environ, "HUIQI_HOME": str(home)}
    for arguments in (["demo"], ["nightly", "--as-of", "2026-06-18", "--set", "本区=120116*"]):
        done = subprocess.run([*huiqi, *arguments], env=env, cwd=ROOT, capture_output=True, text=True)
        # 1 says that the night found problems or is held, which the tour shows.
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr or done.stdout)
    import world

    import policies
    from store import accounts
    from store.database import open_database
    from store.guard import release_night
    from store.nights import latest_night

    engine = open_database(f"sqlite:///{home / 'huiqi.db'}")
    for login, (role, name) in world.PEOPLE.items():
        accounts.create_person(engine, login, name, [role], world.PASSWORD, by="导览", now=NOW)
    night = latest_night(engine, home)
    assert night is not None
    if night.state == "扣下":
        release_night(engine, night.no, "shen", "演示数据", NOW)
    for code in list(night.columns().codes)[:120:10]:
        accounts.set_officers(engine, code, "lin", "zhuan", by="admin", now=NOW)
    engine.dispose()
    shutil.copytree(Path(policies.__file__).with_name("library"), home / "library")


def draw(home: Path, target: Path) -> None:
    """画: one picture a stop, and the text."""
    from browsing import browser, served
    from PIL import Image
    from tour import Stop, play, stops, text_of

    from desk.app import create_app
    from store.database import open_database

    engine = open_database(f"sqlite:///{home / 'huiqi.db'}")
    app = create_app(engine, home, lambda: NOW, library=home / "library")
    app.state.office.warm()
    shutil.rmtree(target / "tour", ignore_errors=True)
    (target / "tour").mkdir(parents=True)

    def keep(stop: Stop, page: object) -> None:
        shot = Image.open(io.BytesIO(page.screenshot()))  # type: ignore[attr-defined]
        shot.convert("RGB").save(target / "tour" / f"{stop.name}.webp", quality=QUALITY, method=6)

    with served(app) as base, browser() as chromium:
        play(chromium, base, app.state.office, keep)
    (target / "tour.md").write_text(text_of(list(stops(app.state.office))), encoding="utf-8")
    engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="huiqi-tour-") as folder:
        home = given.home or Path(folder) / "home"
        if not (home / "huiqi.db").exists():
            make_office(home)
        draw(home, ROOT / "docs")
    sizes = sum(p.stat().st_size for p in (ROOT / "docs" / "tour").iterdir())
    print(f"docs/tour.md, {sizes / 1000:.0f} kB of pictures")


if __name__ == "__main__":
    main()
