"""一企一档 in the desk: seven sections, both times, a value's history, who changed what, text tags confirmed by a person."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import world
from clients import Desk

from desk.pages.today import arrivals
from profiles.ingest import load_dictionary
from profiles.source import load_sources
from store.batches import take_back
from store.database import session
from store.firms import provenance
from store.imports import import_file
from store.observations import SourceBatch

SECTIONS = ["登记", "经营", "研发与人员", "资质荣誉", "信用", "政策享受", "画像"]
MARCH, MAY = datetime(2026, 3, 1, 2, tzinfo=UTC), datetime(2026, 5, 2, 2, tzinfo=UTC)
HEAD = "企业名称,统一社会信用代码,注册日期,企业类型,注册资金,经营范围,所在省份,地区,注册地址\n"


def land(desk: Desk, code: str, name: str, capital: str, at: datetime, day: str, by: str) -> int:
    path = desk.home / f"登记-{day}.csv"
    scope = "集成电路设计；集成电路制造；集成电路芯片及产品销售；电子元器件制造"
    path.write_text(
        HEAD + f"{name},{code},2016-03-01,有限责任公司,{capital},{scope},天津,滨海,滨海新区一号\n", "utf-8"
    )
    report = import_file(
        desk.engine, path, load_sources()["registration"], dictionary=load_dictionary(), arrived_at=at, by=by,
        day=datetime.fromisoformat(day).date(),
    )  # fmt: skip
    assert report.new + report.changed == 1 and report.batch
    return report.batch


@pytest.fixture
def filed(fresh: Desk) -> tuple[Desk, str]:
    code = str(fresh.app.state.office.night().columns().codes[0])
    land(fresh, code, "微澜集成电路有限公司", "100(万元人民币)", MARCH, "2026-02-28", "lin")
    land(fresh, code, "微澜集成电路有限公司", "350(万元人民币)", MAY, "2026-05-01", "沈某")
    return fresh, code


def page(desk: Desk, path: str, login: str = "lin") -> str:
    answer = desk.client(login).get(path)
    assert answer.status_code == 200, answer.text[:300]
    return answer.text


def test_sections_stand_in_an_officers_order_and_both_times_differ(filed):
    desk, code = filed
    now = page(desk, f"/desk/firms/{code}")
    assert re.findall(r'scope="rowgroup">([^<]+)<', now) == SECTIONS
    assert "350" in now and "没有取值。" in now
    known = page(desk, f"/desk/firms/{code}?as-of=2026-04-01")
    assert "当时所知" in known and ">100" in known and ">350" not in known
    # The May batch is dated 1 May: on 2 May it is true and, from the evening on, known.
    assert ">350" in page(desk, f"/desk/firms/{code}?as-of=2026-05-02")
    assert ">100" in page(desk, f"/desk/firms/{code}?as-of=2026-04-30&how=true")
    assert "没有取值" in page(desk, f"/desk/firms/{code}?as-of=2026-01-01")


def test_a_values_history_and_who_changed_what(filed):
    desk, code = filed
    assert f"/desk/firms/{code}/history?of=" in page(desk, f"/desk/firms/{code}")
    said = page(desk, f"/desk/firms/{code}/history?of=注册资本")
    assert said.index("350") < said.index("100 万元" if "100 万元" in said else "100")
    assert "林知遥" in said and "沈某" in said and "第 2 批" in said
    take_back(desk.engine, 2, by="lin", at=world.NOW)
    assert "撤回" in page(desk, f"/desk/firms/{code}/history?of=注册资本")
    changes = page(desk, f"/desk/firms/{code}/changes")
    assert "这一批说的从此不算" in changes and "→" in changes and "注册资本" in changes
    assert desk.client("lin").get(f"/desk/firms/{code}/history?of=没有这个").status_code == 404


def test_an_officer_confirms_a_tag_and_no_department_is_overwritten(filed):
    desk, code = filed
    before = page(desk, f"/desk/firms/{code}")
    assert "推测" in before and "小类" in before and "等人确认" in before
    answer = desk.post("lin", f"/desk/firms/{code}/tags", industry="C3973", theme=["新一代信息技术产业", ""])
    assert answer.status_code == 303
    facts = provenance(desk.engine, code, world.AS_OF)
    assert facts["确认行业代码", None].value == "C3973"
    assert facts["确认主题", None].value == ["新一代信息技术产业"]
    assert ("行业代码", None) not in facts
    after = page(desk, f"/desk/firms/{code}")
    assert "已确认 C3973 新一代信息技术产业" in after
    assert "lin" in page(desk, f"/desk/firms/{code}/changes") or "林知遥" in page(
        desk, f"/desk/firms/{code}/changes"
    )
    wrong = desk.post("lin", f"/desk/firms/{code}/tags", industry="", other="C9999")
    assert "GB%2FT" in wrong.headers["location"] or "4754" in wrong.headers["location"]
    assert desk.post("kan", f"/desk/firms/{code}/tags", industry="C3973").status_code == 403


def test_a_firm_without_a_stored_file_still_has_a_portrait(fresh):
    code = str(fresh.app.state.office.night().columns().codes[1])
    shown = page(fresh, f"/desk/firms/{code}")
    assert "规模" in shown and "推测" in shown
    assert f"/desk/firms/{code}/history" not in shown


def test_a_batch_that_was_taken_back_is_no_longer_todays_news(filed):
    desk, _ = filed
    rows = desk.app.state.office
    with session(desk.engine) as opened:
        batch = opened.get(SourceBatch, 2)
        batch.rejected = 3
        opened.add(batch)
        opened.commit()
    assert [a["id"] for a in arrivals(rows)] == [2]
    take_back(desk.engine, 2, by="lin", at=world.NOW)
    assert [a["id"] for a in arrivals(rows)] == []
    data = page(desk, "/desk/data")
    assert "第 2 批撤回了" in data and "/desk/data/registration/1" in data
