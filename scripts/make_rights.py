"""Write docs/rights.md: every page and act of the desk by the right it needs and the roles that have it: python scripts/make_rights.py."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fastapi.routing import APIRoute  # noqa: E402

from desk import access  # noqa: E402

ROLES = [r for r in access.RIGHTS if access.RIGHTS[r]]


def office_routes(router: Any) -> Iterator[APIRoute]:
    """工作台和接口的路由, in the order they are served."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            if route.endpoint.__module__.startswith(("desk.pages.", "desk.api.")):
                yield route
        elif hasattr(route, "original_router"):
            yield from office_routes(route.original_router)


def right_of(route: APIRoute) -> str | None:
    """要的权利 of a route: None where it is open, "" where any login will do."""
    found = [
        d.call.__dict__["right"]
        for d in route.dependant.dependencies
        if "right" in getattr(d.call, "__dict__", {})
    ]
    return found[0] if found else None


def table(app: Any) -> str:
    """权限表 as Markdown: one line a route."""
    lines = [
        "# Rights: every route by role", "",
        "Written by `scripts/make_rights.py` from the routes themselves; `tests/desk/test_rights_matrix.py` holds it to them, and asks every",
        "route as every role, of the item's own department, of another and of none.", "",
        f"| method | route | right | {' | '.join(ROLES)} |", f"| --- | --- | --- | {' | '.join(['---'] * len(ROLES))} |",
    ]  # fmt: skip
    for route in sorted(office_routes(app), key=lambda r: (r.path, sorted(r.methods))):
        right = right_of(route)
        marks = ["✓" if right is None or not right or right in access.RIGHTS[role] else "" for role in ROLES]
        said = "open" if right is None else access.NAMES.get(right, right) or "any login"
        lines.append(f"| {' '.join(sorted(route.methods))} | `{route.path}` | {said} | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    import tempfile
    from datetime import UTC, datetime

    from desk.app import create_app
    from store.database import open_database, upgrade

    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/x.db")
        upgrade(engine)
        text = table(create_app(engine, Path(folder), lambda: datetime.now(UTC)))
        engine.dispose()
    (ROOT / "docs" / "rights.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
