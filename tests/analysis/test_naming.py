"""指名: a firm by code or name, an item by id or title; each fault said for itself, candidates with their codes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from analysis import View
from analysis.naming import firm_of, item_of
from jobs.cli import nightly
from policies.library import near_ids
from profiles.names import normal_names
from store.nights import firm_names

ITEM = "bs-2025-06/rd-intensity"


def unique_name(view: View) -> tuple[str, str]:
    """A code and the name that its firm alone bears."""
    names = [n or "" for n in firm_names(view.columns).to_pylist()]
    times = Counter(normal_names(names))
    at = next(i for i, n in enumerate(normal_names(names)) if n and times[n] == 1)
    return str(view.columns.codes[at]), names[at]


def test_a_firm_is_named_by_code_or_by_a_name_of_its_own(view: View) -> None:
    code, name = unique_name(view)
    assert firm_of(view.columns, code.lower()) == firm_of(view.columns, name) == code
    assert view.explain(name, ITEM).code == code


def test_a_name_of_many_or_of_none_gets_candidates_with_codes(view: View) -> None:
    code, name = unique_name(view)
    with pytest.raises(ValueError, match=r"叫“有限公司”的企业有 \d+ 家，请写代码：.*等 \d+ 家"):
        firm_of(view.columns, "有限公司")
    slip = name[:-6] + name[-5:]
    with pytest.raises(ValueError, match=f"没有名称含“.*相近的：.*{code}"):
        firm_of(view.columns, slip)
    wrong = code[:-1] + ("X" if code[-1] != "X" else "0")
    with pytest.raises(ValueError, match="第18位校验码不符"):
        firm_of(view.columns, wrong)


def test_an_item_is_named_by_its_title(view: View) -> None:
    assert item_of(view.library, "研发投入强度") == ITEM
    with pytest.raises(ValueError, match=r"标题含“奖励”的事项有 \d+ 个，请写编号："):
        item_of(view.library, "奖励")


def test_each_argument_of_explain_is_told_for_itself(home: Path, view: View) -> None:
    app = typer.Typer()
    app.command("explain")(nightly.explain_command)
    app.command("other")(lambda: None)

    def explain(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["explain", *words, "--home", str(home)])
        return done.exit_code, done.output

    code, name = unique_name(view)
    both = explain("查无此名的公司", "bs-2025-06/rd")
    assert both[0] == 2 and "企业：没有名称含" in both[1]
    assert "事项：政策库里没有事项“bs-2025-06/rd”。您是不是想写 bs-2025-06/rd-" in both[1]
    one = explain(code, "bs-2025-06/nothing-like-it")
    assert one[0] == 2 and "企业：" not in one[1] and "事项：" in one[1]
    right = explain(name, "研发投入强度奖励")
    assert right[0] == 0 and right[1].startswith(f"{name} {code} × {ITEM}")
    closed = explain(code, "bs-2023-04/ship-finance")
    assert closed[0] == 2 and "没有在办批次" in closed[1] and "企业" not in closed[1]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("bs-1/rd", ["bs-1/rd-increment", "bs-1/rd-intensity"]),
        ("bs-1/rd_incremnt", ["bs-1/rd-increment"]),
        ("rd-incr", ["bs-1/rd-increment"]),
        ("bs-2/rd-intensity", ["bs-1/rd-intensity"]),
        ("bs-2/equip", ["bs-2/equipment"]),
        ("bs-1/zzz", []),
    ],
)
def test_an_id_is_near_by_its_own_part(written: str, meant: list[str]) -> None:
    known = ["bs-1/rd-increment", "bs-1/rd-intensity", "bs-1/first-set", "bs-2/equipment", "bs-3/equity"]
    assert sorted(near_ids(written, known)) == meant


def test_the_change_that_the_demo_proposes_can_be_tried(view: View) -> None:
    item, _, change = nightly._change(view.night).partition(" --when ")
    name, _, expression = change.strip("'").partition("=")
    assert view.with_rule(item, conditions={name: expression}).live(item)
