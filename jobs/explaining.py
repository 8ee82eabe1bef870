"""说明: one pair explained from the store or from a file, and the lines that are printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from analysis.naming import firm_of, item_of
from engine import kinds
from engine.columns import Columns
from engine.explain import FIRM, OFFICE, explain
from engine.match import Evidence, Match, Seen, Verdict
from engine.program import Program
from engine.standard import further_quotes
from engine.words import say_holds_on, say_value
from jobs.rules import open_library
from policies.cases import say_amount
from policies.library import Library
from profiles.dictionary import builtin_dictionary
from profiles.inputs import read_profiles
from profiles.source import source_title
from store.database import Engine
from store.firms import provenance
from store.nights import firm_names, latest_night, list_nights

MARKS = {Verdict.ELIGIBLE: "✓ 符合", Verdict.UNDETERMINED: "○ 待核实", Verdict.INELIGIBLE: "– 不符合"}


def explain_from_file(
    code: str, item: str, library: Path, profiles: Path, as_of: date, sets: Sequence[str], firm: bool
) -> tuple[Match, Program, str]:
    """用文件说明. Raises ValueError where the firm, the item or a live batch isn't there."""
    loaded = open_library(library, sets)
    columns = read_profiles(profiles, loaded.dictionary, lambda p: None)
    code, item = pair_of(columns, loaded, code, item)
    program = loaded.wanted(item)
    one = columns.take(np.array([list(columns.codes).index(code)]))
    batch = program.item.live_batch(as_of)
    if batch is None:
        raise ValueError(f"{item} 在 {as_of} 没有在办批次")
    found = explain(program.bind(batch), one, as_of, audience=FIRM if firm else OFFICE)
    return found, program, _name_of(columns, code)


def explain_from_store(
    engine: Engine, home: Path, code: str, item: str, as_of: date | None, firm: bool
) -> tuple[Match, Program, str]:
    """用库里的一夜说明: the latest night, or the latest one of that day. Raises ValueError."""
    nights = list_nights(engine, home) if as_of else []
    night = next((n for n in nights if n.as_of == as_of), None) if as_of else latest_night(engine, home)
    if night is None:
        raise ValueError(
            f"还没有{as_of or ''}的比对；请先运行 huiqi nightly" + (f" --as-of {as_of}" if as_of else "")
        )
    columns = night.columns()
    code, item = pair_of(columns, night.library(), code, item)
    facts = seen_facts(engine, code, night.as_of)
    found = night.explain(code, item, facts, FIRM if firm else OFFICE)
    if found is None:
        raise ValueError(f"{item} 在 {night.as_of} 没有在办批次")
    return found, night.library().wanted(item), _name_of(columns, code)


def _name_of(columns: Columns, code: str) -> str:
    return firm_names(columns)[list(columns.codes).index(code)].as_py() or ""


def pair_of(columns: Columns, library: Library, firm: str, item: str) -> tuple[str, str]:
    """一对: code and id of what the two arguments name. Raises ValueError that says of each what is wrong with it."""
    faults, found = [], []
    for what, read in (
        ("企业", lambda: firm_of(columns, firm)),
        ("事项", lambda: item_of(library, item)),
    ):
        try:
            found.append(read())
        except ValueError as error:
            faults.append(f"{what}：{error}")
    if faults:
        raise ValueError("\n      ".join(faults))
    return found[0], found[1]


def seen_facts(engine: Engine, code: str, as_of: date) -> Mapping[tuple[str, int | None], Seen]:
    """所见取值: every fact of a firm with its source, date and state, as the explanation takes them."""
    return {
        key: Seen(
            f.indicator,
            f.year,
            f.value if f.state == "已知" else None,
            source_title(f.source, f.department),
            f.day,
            f.state,
            str(f.shown),
        )
        for key, f in provenance(engine, code, as_of).items()
    }


def render(found: Match, program: Program, name: str = "") -> Iterator[str]:
    """逐行: verdict, amount, and every numbered condition with its evidence."""
    who = f"{name} {found.code}".strip()
    yield f"{who} × {found.item}（{program.item.title}，批次 {found.batch}）"
    amount = say_amount((found.amount_low, found.amount_high)) if found.verdict != Verdict.INELIGIBLE else "—"
    yield f"结论：{found.verdict}    金额：{amount}"
    yield ""
    for evidence in found.evidence:
        yield f"{evidence.number}. {MARKS[evidence.verdict]}  {evidence.cite}  “{evidence.quote}”"
        yield from _lines(evidence, "     ")
    if program.item.benefit is not None:
        benefit = program.item.benefit
        yield ""
        yield f"标准：{benefit.cite}  “{benefit.quote}”"
        yield from (f"另有规定：{cite}  “{quote}”" for quote, cite in further_quotes(benefit))
        if found.verdict != Verdict.INELIGIBLE:
            yield from (f"  {line}" for line in found.working)
            yield f"  得 {amount}"


def _lines(evidence: Evidence, indent: str) -> Iterator[str]:
    if evidence.kind in ("when", "ask"):
        yield indent + evidence.text + (f"    {evidence.gap}" if evidence.gap else "")
        for seen in evidence.seen:
            yield indent + "  " + _seen(seen)
    for child in evidence.children:
        yield f"{indent}· {MARKS[child.verdict]}"
        yield from _lines(child, indent + "  ")
    if evidence.holds_on:
        yield indent + say_holds_on(evidence.holds_on)
    if evidence.needs and evidence.kind in ("when", "ask"):
        yield f"{indent}还要知道：{evidence.needs}"


def _seen(seen: Seen) -> str:
    name = f"{seen.year}年{seen.indicator}" if seen.year else seen.indicator
    spec = builtin_dictionary().get(seen.indicator)
    kind, unit = (spec.kind, spec.unit) if spec is not None else (kinds.TEXT, "")
    value = seen.note or "缺" if seen.value is None else say_value(seen.value, kind, unit)
    where = "，".join(
        str(p) for p in (seen.source, seen.as_of, seen.state if seen.state != "已知" else "") if p
    )
    return f"{name} = {value}" + (f"（{where}）" if where else "")
