"""导览: its steps hold, its text is the text of the steps, its pictures are there and small."""

from __future__ import annotations

from pathlib import Path

from browsing import browser, needs_browser, served
from clients import Desk
from tour import play, stops, text_of

DOCS = Path(__file__).resolve().parents[2] / "docs"


@needs_browser
def test_every_stop_shows_what_is_said_of_it(fresh: Desk) -> None:
    seen = []
    with served(fresh.app) as base, browser() as chromium:
        play(
            chromium, base, fresh.app.state.office, lambda stop, page: seen.append((stop.name, page.title()))
        )
    assert len(seen) > 10 and all(title for _, title in seen)


def test_the_tour_in_docs_is_of_these_steps(desk: Desk) -> None:
    made = list(stops(desk.app.state.office))
    assert (DOCS / "tour.md").read_text(encoding="utf-8") == text_of(made), "run scripts/make_tour.py"
    pictures = [DOCS / "tour" / f"{s.name}.webp" for s in made]
    assert sum(p.stat().st_size for p in pictures) < 2_000_000
    assert sorted(p.name for p in (DOCS / "tour").iterdir()) == sorted(p.name for p in pictures)
