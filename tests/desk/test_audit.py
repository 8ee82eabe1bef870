"""操作记录: the chain is whole, and every way of breaking it shows."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from world import NOW

from store import audit
from store.database import session, writing


@pytest.fixture
def chain(fresh):
    for n in range(8):
        with writing(fresh.engine) as opened:
            audit.record(
                opened, "lin", "试写", f"第{n}件", {"金额": n * 1.5, "嵌套": {"甲": [1, "二"]}}, fresh.moment
            )
    return fresh.engine


def test_a_whole_chain_is_whole(chain):
    report = audit.verify(chain)
    assert report.whole and report.count >= 8 and len(report.head) == 64


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE audit_entry SET detail = '{}' WHERE number = 10",
        "UPDATE audit_entry SET who = 'cai' WHERE number = 10",
        "UPDATE audit_entry SET at = '2020-01-01 00:00:00.000000' WHERE number = 10",
        "DELETE FROM audit_entry WHERE number = 10",
        "UPDATE audit_entry SET previous = '" + "1" * 64 + "' WHERE number = 10",
    ],
)
def test_every_harm_shows(chain, harm):
    with chain.begin() as connection:
        connection.execute(text(harm))
    assert not audit.verify(chain).whole


def test_a_cut_tail_shows_against_what_was_written_down(chain):
    before = audit.verify(chain)
    with chain.begin() as connection:
        connection.execute(text(f"DELETE FROM audit_entry WHERE number > {before.count - 2}"))
    assert audit.verify(chain).whole
    assert not audit.verify(chain, (before.count, before.head)).whole


def test_entries_are_only_added(chain):
    with pytest.raises(RuntimeError, match="只能添加"), session(chain) as opened:
        entry = opened.get(audit.AuditEntry, 1)
        entry.who = "cai"
        opened.add(entry)


def test_what_is_rolled_back_leaves_no_entry(chain):
    before = audit.verify(chain).count
    with pytest.raises(ZeroDivisionError), writing(chain) as opened:
        audit.record(opened, "lin", "试写", "没做成", {}, NOW)
        1 / 0  # noqa: B018
    assert audit.verify(chain).count == before


def test_what_was_kept_with_an_act_is_read_as_words(fresh):
    with writing(fresh.engine) as opened:
        kept = {"角色": ["经办", "复核"], "改为": {"启用": True, "期限": None}, "空": []}
        audit.record(opened, "lin", "试写", "一件", kept, fresh.moment)
    page = fresh.client("lin").get("/desk/audit", params={"what": "试写"}).text
    assert "角色：经办、复核；改为：启用 是，期限 —" in page
