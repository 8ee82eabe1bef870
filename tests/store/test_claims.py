"""认领: candidates are proposed, a person decides, the answer is kept."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from files import DICTIONARY, REGISTER, TAX, code, numbers, put

from store.audit import entries
from store.claims import answer, pending, withdraw_answer
from store.firms import firm_codes, provenance

HEAD = "代码,名称,资本,状态\n"
LATER = datetime(2026, 4, 1, 2, tzinfo=UTC)
YEARS = "代码,名称,年度,营收,人数\n"


@pytest.fixture
def register(engine, tmp_path):
    put(
        engine,
        tmp_path,
        REGISTER,
        f"{HEAD}{code(40)},滨海示范精密机械有限公司,1,存续\n{code(2)},滨海示范软件有限责任公司,1,存续\n",
    )
    return engine


def sales(engine, firm):
    found = provenance(engine, firm, date(2026, 6, 1), DICTIONARY).get(("营业收入", 2024))
    return found.value if found else None


def test_a_name_alone_waits_and_its_answer_is_kept(register, tmp_path):
    text = YEARS + ",滨海示范软件有限公司,2024,3,5\n"
    assert numbers(put(register, tmp_path, TAX, text))[-1] == 1
    assert sales(register, code(2)) is None
    waiting = pending(register)
    assert [(w.why, w.candidates[0]["code"], w.candidates[0]["score"]) for w in waiting] == [
        ("只有名称", code(2), 1.0)
    ]
    report = answer(register, waiting[0].id, code(2), by="张", at=LATER)
    assert (report.new, report.rows) == (1, 1)
    assert sales(register, code(2)) == 30_000.0
    assert pending(register) == []
    next_year = put(register, tmp_path, TAX, YEARS + ",滨海示范软件有限公司,2025,4,5\n", arrived=LATER)
    assert numbers(next_year) == (1, 1, 0, 0, 0, 0)
    assert numbers(put(register, tmp_path, TAX, text))[3:] == (1, 0, 0)
    assert withdraw_answer(register, "税务", "滨海示范软件有限公司", by="张", at=LATER) == 1
    assert numbers(put(register, tmp_path, TAX, YEARS + ",滨海示范软件有限公司,2023,4,5\n"))[-1] == 1
    kept = [(e.who, e.what, e.subject) for e in reversed(entries(register)[0])]
    assert kept == [("张", "认企业", code(2)), ("张", "收回认定", "滨海示范软件有限公司")]


def test_a_slip_is_proposed_and_never_mended(register, tmp_path):
    slip = code(40)[:8] + code(40)[8:].replace("0", "O")
    put(register, tmp_path, TAX, f"{YEARS}{slip},别的名字,2024,3,5\n")
    waiting = pending(register)
    assert [(w.why, w.candidates[0]["code"]) for w in waiting] == [("代码存疑", code(40))]
    assert sales(register, code(40)) is None
    assert answer(register, waiting[0].id, "", by="张", at=LATER) is None
    again = put(register, tmp_path, TAX, f"{YEARS}{slip},别的名字,2024,3,6\n", arrived=LATER)
    assert numbers(again) == (1, 0, 0, 0, 1, 0)
    assert "不是本档企业" in again.problems[0].message


def test_the_same_waiting_row_is_listed_once(register, tmp_path):
    for _ in range(2):
        put(register, tmp_path, TAX, YEARS + ",不知哪家公司,2024,3,5\n")
    assert len(pending(register)) == 1
    with pytest.raises(ValueError, match="不是有效的统一社会信用代码"):
        answer(register, pending(register)[0].id, "123", by="", at=LATER)
    with pytest.raises(ValueError, match="不在待认领之列"):
        answer(register, 99, code(2), by="", at=LATER)


def test_no_name_ever_makes_a_file(register, tmp_path):
    before = firm_codes(register)
    put(register, tmp_path, TAX, YEARS + ",滨海示范精密机械有限公司,2024,3,5\n,,2024,3,5\n", accept=True)
    assert firm_codes(register) == before
    assert sales(register, code(40)) is None
