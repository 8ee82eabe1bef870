"""联系与意愿: addresses are erased on request or by age; what the firm wished stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from store import audit, reach
from store.database import Engine

NOW = datetime(2026, 6, 17, 18, 0, tzinfo=UTC)
CODE = "91120118MA0725753R"


def test_contacts_are_erased_and_wishes_stay(engine: Engine) -> None:
    reach.change_reach(engine, CODE, NOW, email="a@example.org", phone="1", consent=True, refused=["a/b"])
    later = NOW + timedelta(days=800)
    assert reach.erase_contacts(engine, NOW + timedelta(days=5), "lin", older_than=730) == 0
    assert reach.erase_contacts(engine, later, "lin", older_than=730) == 1
    left = reach.reach(engine, CODE)
    assert left is not None and (left.email, left.phone, left.consent, left.refused) == (
        "",
        "",
        True,
        ["a/b"],
    )
    assert reach.erase_contacts(engine, later, "lin", code=CODE) == 0
    told = str([(e.what, e.detail) for e in audit.entries(engine)[0]])
    assert "抹去联系方式" in told and "example.org" not in told
