"""日志: JSON lines with run and match ids; nothing personal or secret comes out, whoever logs it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import logs
from jobs.channels import Settings
from jobs.nightly import run_night
from jobs.push import push_once
from policies import __file__ as policies_file
from profiles import sample
from store import reach
from store.database import open_database
from tests.databases import database_in

LIBRARY = Path(policies_file).with_name("library")
NOW = datetime(2026, 6, 17, 18, 0, tzinfo=UTC)
PERSONAL = ("li.si+grants@example.com", "13812345678", "138 1234 5678", "+86-13812345678", "022-12345678", "120101199001011237",
            "6222 0000 0000 0000", "6222000000000000123")  # fmt: skip


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level, stream = root.handlers[:], root.level, io.StringIO()
    logs.configure({}, stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def told(lines: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


@pytest.mark.parametrize("secret", PERSONAL)
def test_what_looks_personal_is_masked_anywhere(lines: io.StringIO, secret: str) -> None:
    log = logging.getLogger("x")
    log.info(
        "sent to %s", secret, extra={"note": f"550 <{secret}> unknown", "deep": {"a": [secret, {secret: 1}]}}
    )
    try:
        raise ValueError(f"对方说 {secret} 不存在")
    except ValueError:
        log.exception("failed")
    assert secret not in lines.getvalue() and logs.HIDDEN in lines.getvalue()
    assert told(lines)[1]["error"] == "ValueError" and "test_logs.py:" in str(told(lines)[1]["where"])


def test_secrets_are_masked_by_name_and_by_form(lines: io.StringIO) -> None:
    logging.getLogger("x").info(
        "GET https://u:hunter22@h/x?token=hunter22&a=1 Bearer hunter22", extra={"webhook_secret": "hunter22", "姓名": "hunter22", "Cookie": "hunter22"},
    )  # fmt: skip
    assert "hunter22" not in lines.getvalue() and "a=1" in lines.getvalue()


def test_codes_items_money_and_dates_stay(lines: io.StringIO) -> None:
    kept = {
        "match": "bs-2025-04/srdi-award:91120116MA0700001X",
        "run": 7,
        "fen": 123456789,
        "as_of": "2026-06-17",
        "hash": "9f" * 8,
    }
    logging.getLogger("x").info("night", extra=kept)
    (line,) = told(lines)
    assert {k: line[k] for k in kept} == kept and line["level"] == "info" and line["logger"] == "x"


@given(
    st.sampled_from(PERSONAL[:4]),
    st.text(st.characters(categories=("Lo",)), max_size=8),
    st.text("，。 （）<>:", max_size=4),
)
def test_whatever_stands_around_it(secret: str, word: str, mark: str) -> None:
    assert secret not in logs.masked(f"{word}{mark or ' '}{secret}{mark or ' '}{word}")


def test_a_wrong_setting_is_told() -> None:
    with pytest.raises(ValueError, match="HUIQI_LOG 要写成 json 或 plain"):
        logs.configure({"HUIQI_LOG": "xml"})


def test_a_night_and_its_pushes_are_logged_by_their_ids_and_no_contact_is(
    database: str, lines: io.StringIO, tmp_path: Path
) -> None:
    sample.write_sample(sample.generate(40, 4), tmp_path / "inbox", 0.0)
    engine = open_database(database_in(tmp_path))
    night = run_night(engine, tmp_path, LIBRARY, date(2026, 6, 17), lambda: NOW).night
    assert night is not None
    for row in night.items().itertuples():
        hits = night.hits(row.item)
        for code in hits["统一社会信用代码"] if len(hits) else ():
            reach.change_reach(engine, str(code), NOW, email=PERSONAL[0], phone=PERSONAL[1])
        break
    report = push_once(engine, Settings(smtp_url="smtp://u:hunter22@127.0.0.1:1"), lambda: NOW, patience=0)
    found = told(lines)
    one = next(x for x in found if x["event"] == "night")
    assert one["run"] == night.no and one["hits"] == night.run.hits_hash[:12] and one["as_of"] == "2026-06-17"
    pushes = [x for x in found if x["event"] == "push"]
    assert pushes and len(pushes) >= sum(report.counts.values()) > 0
    assert all(x["matches"] and "/" in x["matches"][0] and ":" in x["matches"][0] for x in pushes)  # type: ignore[index]
    assert not [s for s in (*PERSONAL, "hunter22") if s in lines.getvalue()]
    engine.dispose()
