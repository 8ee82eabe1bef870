"""Ask the API everything its own description allows, with schemathesis: no answer may be a fault of the server.

    .venv/bin/python scripts/fuzz_api.py [--examples 40] [--seed 1]

Works on a small office of invented firms in a temporary folder; needs no network and leaves nothing behind.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "desk")]


def real_things(office: Any) -> dict[str, str]:
    """An item with a list, an enterprise on it and a question, so that half of the requests reach the rules of deciding."""
    night = office.night()
    item = max(office.items(night)["item"], key=lambda i: len(office.hits(night, i)))
    return {"item": item, "code": str(office.hits(night, item).iloc[0]["统一社会信用代码"])}


def aim(case: Any, known: dict[str, str]) -> None:
    """Put real names where the request names an item or an enterprise."""
    document, slug = known["item"].split("/")
    for name, value in {"document": document, "slug": slug, "code": known["code"], "number": 1}.items():
        if name in (case.path_parameters or {}):
            case.path_parameters[name] = value
    if isinstance(case.body, dict):
        for name in ("item", "code"):
            if name in case.body:
                case.body[name] = known[name]
        for pair in case.body.get("pairs") or []:
            if isinstance(pair, dict):
                pair["code"] = known["code"]


def fuzz(home: Path, examples: int, seed: int) -> tuple[int, dict[str, int]]:
    """试接口: (requests made, answers by status). Raises AssertionError with the request at the first 5xx or unreadable fault."""
    import schemathesis
    import world
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    import policies
    from desk.app import create_app
    from store import credentials

    engine = world.make_office(home, firms=60)
    library = home / "library"
    shutil.copytree(Path(policies.__file__).with_name("library"), library)
    app = create_app(engine, home, lambda: world.NOW, library=library)
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)
    count, answers, known = 0, dict[str, int](), real_things(app.state.office)

    for found in schema.get_all_operations():
        operation, let_in = found.ok(), 0
        # A token for each, since one of them takes tokens back: with one for all, whatever came after it was refused unread.
        known["token"] = credentials.create_token(
            engine, "admin", "试接口", ["read", "write"], by="admin", now=world.NOW
        )

        @seeded(seed)
        @settings(
            max_examples=examples, deadline=None, database=None, phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            nonlocal count, let_in
            if count % 2:
                aim(case, known)
            answer = case.call(headers={"Authorization": f"Bearer {known['token']}"}, timeout=120)
            count += 1
            answers[str(answer.status_code)] = answers.get(str(answer.status_code), 0) + 1
            let_in += answer.status_code != 401
            assert answer.status_code < 500, f"{case.as_curl_command()}\n{answer.text[:400]}"
            if answer.status_code >= 400:
                assert answer.json()["detail"], f"{case.as_curl_command()} says nothing"

        ask()
        assert let_in, f"{operation.label} was never let in"
    engine.dispose()
    return count, answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="huiqi-fuzz-") as folder:
        count, answers = fuzz(Path(folder) / "home", given.examples, given.seed)
    print(f"{count} requests, none a fault of the server; answers by status: {dict(sorted(answers.items()))}")


if __name__ == "__main__":
    main()
