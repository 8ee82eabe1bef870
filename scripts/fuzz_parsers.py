"""Feed every parser of untrusted input with broken variants of sound seeds: python scripts/fuzz_parsers.py [--inputs 300].

    .venv/bin/python scripts/fuzz_parsers.py --inputs 2000 [--parser yaml] [--seed 1]

Only faults that the project words itself may come out (a list of problems, or a ValueError it raises with a Chinese
message); anything else, and an input that takes more than 2 s of processor time, is a finding: printed with its seed
and bytes, and the exit code is 1. Input number N of a parser depends on the seed and N alone. Needs no network.
"""

from __future__ import annotations

import argparse
import copy
import io
import linecache
import math
import random
import re
import resource
import signal
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import yaml

import policies
from engine import kinds, yamltext
from engine.errors import ExpressionError, Problem
from engine.expression import parse_condition, parse_value
from engine.indicators import read_indicators
from engine.program import Compiler
from engine.rulefile import Reader
from policies.cases import CaseReader, run_cases
from policies.decompose.pipeline import decompose
from policies.decompose.quantities import quantities
from policies.library import load_library
from policies.read import read_document, read_tables
from policies.segment import segment
from profiles.codes import looks_like_code, proposals, tidy_code, valid_codes, why_not
from profiles.dictionary import builtin_dictionary
from profiles.exchange import body_of, parse_yaml
from profiles.reading import open_table
from profiles.source import Column, parse_source
from profiles.values import parser as cell_parser
from scripts import fuzz_pdf
from store.payments import COLUMNS, Reconciliation, _read
from store.sheets import read_rows

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = Path(policies.__file__).with_name("library")
SLOW = 2.0  # seconds of processor time from which an input counts as a finding
MEMORY = (
    8 << 30
)  # of addresses; an input that wants more is a finding, and not the end of whatever else runs here
STOP = 20.0  # seconds after which it is interrupted
HAN = re.compile("[\u4e00-\u9fff]")
NASTY = (
    "\x00", "\u202e", "\u200b", "\ufeff", "\ud800", "\U0010ffff", "\u0301", "²", "٣", "Ⅳ", "①", "½", "\u2028", "\x85", "\r", "\t",
    "999999999999999999999999", "-1", "1e999", "NaN", "Infinity", "0" * 40, "9" * 400, "1" * 5000, "９９９", "〇", "万亿万亿", "亿" * 60, "零",
    "((((", "[[[[", "{" * 70, "))", "“", "”", '"', "'", "\\", "%", "%s", "{0}", "&a", "*a", "!!python/object:os.system", "<<: ",
    "---\n", "? ", "- " * 70, ": ", "|\n", "#", "~", "null", "<div>", "</td>", "<![CDATA[", "&#x0;", "&#99999999;", "<!--", "| | |", "**",
    "9999-99-99", "0000-01-01", "2024-02-30", "2024年13月45日", "00010101", "2024-01-01T99:99", "=cmd|' /C calc'!A0", "../../x", "';--", "\n" * 50,
    "Y-999999999999", "[Y-1]", "[2024]", "属于", "不属于", "含", "合计(", "取整(", "增长率(", ">=", "!=", "＋", "÷0", "/0", "万元", "亿美元", "‰", "个月",
)  # fmt: skip
WRITTEN = (
    "营业收入[Y] >= 500万元", "研发费用[Y] / 营业收入[Y] >= 3%", '登记地区划 属于 ["120116*", "1201*"]', "营业收入[Y-1..Y-3] > 0元",
    "合计(研发费用[Y-2..Y]) * 10%", "增长率(营业收入[Y]) >= 12.5%", "成立日期 <= 申报截止 - 36个月", "取整(营业收入[Y] / 100万元) * 5万元",
    '行业代码 不属于 "C39"', "海关信用等级 = “高级认证企业”", "注册资本 > 100万美元", "规模以上工业企业 = 是", '已享受事项[Y] 含 "a/b"',
)  # fmt: skip
SAID = (
    "对上年度营业收入达到5000万元（含）以上且同比增长10%的企业，给予最高不超过30万元的一次性奖励；1亿元至5亿元的部分按0.5%。",
    "2024年3月1日至2025年12月31日，近三年内获得3项以上，二十万元至一百万元，每月1500元/人，津滨政发〔2024〕3号第5号。",
)
CELLS = ("4,537.9万元", "4537.9(万美元)", "人民币壹佰万元整", "12.5%", "3‰", "2024-06-30", "2024年6月30日", "20240630121500", "1,234人", "是", "甲、乙；丙", "1.2万", "天津市滨海新区", "¥ 100.005", "-0.01")  # fmt: skip
CODES = (
    "91120116MA0700001X",
    "120116000012345",
    "MA070000-1",
    "９１１２０１１６MA07O0001X",
    "'91120116 MA0700001X",
)
SOURCE = """source: fuzz
department: 局
file: {format: auto, encoding: auto}
missing: [无数据]
firm: {code: 代码, name: 名称}
year: {column: 年度}
date: {name: '_(\\d{8})'}
rates: {美元: 7.1}
columns:
  营业收入(万元): {indicator: 营业收入, unit: 万元}
  注册资金: {indicator: 注册资本, unit: 写明, unusable: 本格}
  成立: {indicator: 成立日期, patterns: {保税区: "120116401"}}
  备注: ~
"""
TABLE = (
    "代码,名称,年度,营业收入(万元),成立\n91120116MA0700001X,甲公司,2024,\"1,200\",2020-01-02\n91120116MA0700002X,\"乙\n公司\",2024,3,\n",
    '{"代码": "91120116MA0700001X", "名称": "甲", "年度": 2024, "营业收入(万元)": 1.5, "成立": null}\n{"代码": "X", "名称": ["a", {"b": 1}]}\n',
    "代码\t名称\t年度\n1\t“甲”\t2024\n",
)  # fmt: skip
PAID = (
    ",".join(COLUMNS) + "\n" + "91120116MA0700001X,a/b,S1,100000.00,2026-06-12,成功\n",
    ",".join(COLUMNS) + "\n",
)
PAGE = "<html><head><meta charset=gbk><title>办法</title></head><body><h1>第一章</h1><table><tr><td rowspan=2>甲</td><td colspan=3>给予10万元</td></tr></table><ol><li>一<ul><li>二</ul></ol><p>给予&nbsp;奖励</body></html>"  # fmt: skip


@dataclass(frozen=True)
class Input:
    """输入: text or bytes and the file name's end."""

    data: Any
    suffix: str = ""


class TookTooLong(BaseException):
    """太久: raised by the timer, so that no `except Exception` of a parser swallows it."""


# ---------------------------------------------------------------- mutators


def broken_text(text: str, others: Sequence[str], draw: random.Random) -> str:
    """弄坏一段文字: one to eight changes: cut, doubled, swapped, strange characters, parts of other seeds, long runs."""
    for _ in range(draw.choice((1, 1, 2, 3, 5, 8))):
        at, upto = sorted((draw.randint(0, len(text)), draw.randint(0, len(text))))
        upto = min(upto, at + draw.choice((1, 4, 40, 400)))
        piece, kind = text[at:upto], draw.randrange(8)
        if kind == 0:
            text = text[:at] + text[upto:]
        elif kind == 1:
            text = text[:at] + draw.choice(NASTY) + text[at:]
        elif kind == 2:
            text = text[:at] + draw.choice(NASTY) + text[upto:]
        elif kind == 3:
            text = text[:at] + piece * draw.choice((2, 3, 60)) + text[upto:]
        elif kind == 4:
            other = draw.choice(others)
            start = draw.randint(0, len(other))
            text = text[:at] + other[start : start + draw.choice((3, 30, 300))] + text[at:]
        elif kind == 5:
            text = text[:at] + chr(draw.choice((0x20, 0x7F, 0x3000, 0x4E00, 0xFF00, 0x10000)) + draw.randrange(200)) + text[upto:]  # fmt: skip
        elif kind == 6:
            text = text[:at] + "".join(draw.sample(piece, len(piece))) + text[upto:]
        elif draw.random() < 0.1:
            text = (
                text[:at]
                + draw.choice((piece or "一", "1", "(", "，", " ", "[", '{"a":', "- ")) * 3000
                + text[at:]
            )
        text = text[:40_000]
    return text


def broken_bytes(data: bytes, draw: random.Random) -> bytes:
    """弄坏一些字节."""
    out = bytearray(data)
    for _ in range(draw.choice((0, 1, 3, 30))):
        at = draw.randint(0, len(out))
        kind = draw.randrange(3)
        if kind == 0 and at < len(out):
            out[at] = draw.randrange(256)
        elif kind == 1:
            out[at:at] = bytes(draw.randrange(256) for _ in range(draw.randint(1, 8)))
        else:
            del out[at : at + draw.choice((1, 1, 7, 200))]
    return bytes(out)


def of_texts(*seeds: str) -> Callable[[random.Random], Input]:
    """Inputs that are texts."""
    return lambda draw: Input(broken_text(draw.choice(seeds), seeds, draw))


def of_lines(*seeds: str) -> Callable[[random.Random], Input]:
    """Inputs that are texts read from files: no halves of surrogate pairs."""
    make = of_texts(*seeds)
    return lambda draw: Input(make(draw).data.encode("utf-8", "replace").decode())


def of_files(suffixes: Sequence[str], *seeds: str) -> Callable[[random.Random], Input]:
    """Inputs that are files of text in some encoding, with broken bytes."""

    def make(draw: random.Random) -> Input:
        text = broken_text(draw.choice(seeds), seeds, draw)
        encoding = "utf-8" if draw.random() < 0.7 else draw.choice(("utf-8-sig", "gb18030", "utf-16"))
        data = text.encode(encoding, "replace")
        return Input(broken_bytes(data, draw) if draw.random() < 0.2 else data, draw.choice(suffixes))

    return make


def of_trees(*seeds: str) -> Callable[[random.Random], Input]:
    """Inputs that are YAML files, half of them sound YAML whose tree is broken: keys and values of other places and kinds."""
    rough, whole = of_files([".yaml"], *seeds), [yaml.load(seed, Loader=yaml.BaseLoader) for seed in seeds]

    def make(draw: random.Random) -> Input:
        if draw.random() < 0.5:
            return rough(draw)
        tree = copy.deepcopy(draw.choice(whole))
        for _ in range(draw.randint(1, 4)):
            at, other = draw.choice(list(_holders(tree))), draw.choice(list(_holders(draw.choice(whole))))
            key = draw.choice(list(at) if isinstance(at, dict) else range(len(at)))
            value = copy.deepcopy(
                draw.choice([other, *(other.values() if isinstance(other, dict) else other)])
            )
            if isinstance(value, str) or draw.random() < 0.2:
                value = broken_text(str(at[key]), (str(value), *WRITTEN), draw).replace("\ud800", "")
            if isinstance(at, dict) and isinstance(other, dict) and draw.random() < 0.5:
                key = draw.choice(list(other))
            at[key] = draw.choice((value, value, value, None, [value], {str(key): value}))
            if draw.random() < 0.2:
                at.pop(key)
            if not tree:
                break
        return Input(yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "replace"), ".yaml")

    return make


def _holders(tree: Any) -> Iterator[Any]:
    """The lists and mappings of a tree that are not empty, the root first."""
    if isinstance(tree, dict | list) and tree:
        yield tree
        for child in tree.values() if isinstance(tree, dict) else tree:
            yield from _holders(child)


def of_archive(suffix: str, seed: Callable[[], bytes]) -> Callable[[random.Random], Input]:
    """Inputs that are office files: a member's XML is broken, sometimes the archive itself."""

    def make(draw: random.Random) -> Input:
        kept = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(seed())) as box, zipfile.ZipFile(kept, "w") as out:
            names = box.namelist()
            hit = set(draw.sample(names, draw.randint(1, 2)))
            for name in names:
                text = re.sub(
                    r"20\d\d-\d\d-\d\dT[\d:]+Z",
                    "2026-01-01T00:00:00Z",
                    box.read(name).decode("utf-8", "replace"),
                )
                if name not in hit:
                    out.writestr(zipfile.ZipInfo(name), text)
                elif draw.random() < 0.9:
                    out.writestr(
                        zipfile.ZipInfo(name), broken_text(text, (text,), draw).encode("utf-8", "replace")
                    )
        data = kept.getvalue()
        return Input(broken_bytes(data, draw) if draw.random() < 0.2 else data, suffix)

    return make


# ---------------------------------------------------------------- parsers


@cache
def library() -> Any:
    """样例政策库."""
    return load_library(LIBRARY, builtin_dictionary())


@cache
def seeds_of(what: str) -> tuple[str, ...]:
    """种子: the bundled sample's files by the end of their names."""
    return tuple(p.read_text("utf-8") for p in sorted(LIBRARY.glob(what)))


@cache
def a_document() -> bytes:
    """A small sound .docx with numbering and a table."""
    import docx

    made, kept = docx.Document(), io.BytesIO()
    made.add_paragraph("第一条 给予10万元奖励", style="List Number")
    made.add_table(2, 3).cell(0, 0).merge(made.tables[0].cell(1, 1)).text = "甲"
    made.save(kept)
    return kept.getvalue()


@cache
def a_workbook() -> bytes:
    """A small sound .xlsx: the columns of payments and of the table seeds."""
    import openpyxl

    made, kept = openpyxl.Workbook(), io.BytesIO()
    made.active.append([*COLUMNS, "代码", "名称", "年度"])
    made.active.append(["91120116MA0700001X", "a/b", "S1", 100.5, "2026-06-12", "成功", "X", "甲", 2024])
    made.save(kept)
    return kept.getvalue()


def _expression(given: Input) -> None:
    for parse in (parse_condition, parse_value):
        try:
            parse(given.data, builtin_dictionary(), library().sets)
        except ExpressionError as error:
            start, end = error.span
            assert 0 <= start <= end <= len(given.data), "the span lies outside of the text"


def _root(given: Input, problems: list[Problem]) -> Any:
    text = yamltext.decode(given.data, "a.yaml", problems.append)
    return None if text is None else yamltext.read(text, "a.yaml", problems.append)


def _said(problems: Sequence[Problem]) -> None:
    for problem in problems:
        assert HAN.search(problem.render()), problem


def _rule(given: Input) -> None:
    problems: list[Problem] = []
    root = _root(given, problems)
    if root is not None:
        compiler = Compiler(builtin_dictionary(), library().sets, problems.append)
        document = Reader(problems.append).document("fuzz", root)
        item = Reader(problems.append).item(root)
        if document is not None:
            compiler.general(document)
        if item is not None:
            compiler.item(item, library().items[0].program.document, None)
    _said(problems)


def _cases(given: Input) -> None:
    problems: list[Problem] = []
    root = _root(given, problems)
    wanted = root.get("item").text if root is not None and root.is_map and root.get("item") else ""
    program = next((p for p in library().programs if p.item.id == wanted), library().programs[0])
    if root is not None:
        found = CaseReader(builtin_dictionary(), problems.append).file(root, program, "a.test.yaml")
        run_cases(program, found.cases, builtin_dictionary(), problems.append)
    _said(problems)


def _indicators(given: Input) -> None:
    problems: list[Problem] = []
    text = yamltext.decode(given.data, "a.yaml", problems.append)
    if text is not None:
        read_indicators(text, "a.yaml", problems.append)
    _said(problems)


def _in_file(given: Input, read: Callable[[Path], Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a_20240630{given.suffix}"
        path.write_bytes(given.data)
        read(path)


def _document(given: Input) -> None:
    _in_file(given, lambda path: segment(read_document(path)))


def _pdf(given: Input) -> None:
    """Its text on the way of a policy, and its tables on the way of a list that was paid."""
    with fuzz_pdf.by_fork():
        for read in (lambda path: segment(read_document(path)), read_tables):
            _own(lambda read=read: _in_file(given, read))


def _table(given: Input) -> None:
    def read(path: Path) -> None:
        with open_table(path, parse_source(SOURCE, "fuzz.yaml"), 2) as table:
            for chunk in table.chunks:
                assert all(len(row) == len(table.header) for row in chunk.rows)

    _in_file(given, read)


def _paid(given: Input) -> None:
    def read(path: Path) -> None:
        report = Reconciliation(path.name)
        list(_read(path, report))
        assert all(HAN.search(line) for line in report.rejected)
        list(read_rows(path, COLUMNS[:1], "名单"))

    _in_file(given, read)


def _cells(given: Input) -> None:
    tries = [
        (kinds.MONEY, Column(indicator="x", unit="万元")), (kinds.MONEY, Column(indicator="x", unit="写明", currency="美元")),
        (kinds.RATIO, Column(indicator="x", unit="%")), (kinds.COUNT, Column(indicator="x", unit="人")), (kinds.DATE, Column(indicator="x")),
        (kinds.BOOL, Column(indicator="x")), (kinds.LIST, Column(indicator="x")), (kinds.TEXT, Column(indicator="x")),
        (kinds.CODE, Column(indicator="x", lookup="行政区划")),
    ]  # fmt: skip
    for kind, column in tries:
        _own(lambda kind=kind, column=column: cell_parser(kind, column, {"美元": 7.1}, "人")(given.data))


def _codes(given: Input) -> None:
    tidy = tidy_code(given.data)
    looks_like_code(tidy)
    valid, said = bool(valid_codes([tidy])[0]), why_not(tidy)
    assert valid == (said == ""), "a code is valid, or it is said why not"
    assert all(valid_codes(proposals(tidy)))


def _own(call: Callable[[], Any]) -> None:
    """Let the project's own worded faults pass; anything else goes on up."""
    try:
        call()
    except ValueError as error:
        if not is_worded(error):
            raise


def is_worded(error: ValueError) -> bool:
    """自己的话: raised by a `raise` of the project, with a Chinese message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not HAN.search(str(error)):
        return False
    name = trace.tb_frame.f_code.co_filename
    return name.startswith(str(ROOT)) and linecache.getline(name, trace.tb_lineno).strip().startswith(
        "raise "
    )


Parser = tuple[Callable[[random.Random], Input], Callable[[Input], Any]]


@cache
def parsers() -> dict[str, Parser]:
    """解析器 by name: what makes its inputs and what reads one."""
    from scripts.fuzz_foreign import more_parsers  # which is made of what stands here

    rules = tuple(t for p, t in zip(sorted(LIBRARY.glob("*/items/*.yaml")), seeds_of("*/items/*.yaml"), strict=True)
                  if not p.name.endswith(".test.yaml"))  # fmt: skip
    texts = seeds_of("*/text.md")
    words = "融资额: {kind: 金额, yearly: 是, source: 税务, fresh_for: 1年}\n许可: {kind: 是否, absent_means: 否}\n"
    record = "企业名称: 甲\n注册资本: 100.00元\n营业收入@2024: 12元\n高新技术企业: 是\n名单: [甲, 乙]\n"
    return {
        "expression": (of_texts(*WRITTEN), _expression),
        "rule": (of_trees(*rules, *seeds_of("*/document.yaml")), _rule),
        "cases": (of_trees(*seeds_of("*/items/*.test.yaml")), _cases),
        "indicators": (of_trees(words), _indicators),
        "document": (of_files([".txt", ".md", ".html"], PAGE, *texts), _document),
        "pdf": (lambda draw: Input(fuzz_pdf.broken(draw), ".pdf"), _pdf),
        "docx": (of_archive(".docx", a_document), _document),
        "segment": (of_texts(*texts, *SAID), lambda given: segment(given.data)),
        "decompose": (of_texts(*texts, *SAID), lambda given: decompose(given.data[:3000])),
        "quantities": (of_texts(*SAID), lambda given: quantities(given.data)),
        "cells": (of_texts(*CELLS), _cells),
        "codes": (of_texts(*CODES), _codes),
        "source": (of_lines(SOURCE), lambda given: parse_source(given.data, "fuzz.yaml")),
        "table": (of_files([".csv", ".csv", ".jsonl", ".txt"], *TABLE), _table),
        "workbook": (of_archive(".xlsx", a_workbook), _table),
        "payments": (of_files([".csv"], *PAID), _paid),
        "payments.xlsx": (of_archive(".xlsx", a_workbook), _paid),
        "record": (of_lines(record), lambda given: body_of(parse_yaml(given.data, "a.yaml"), builtin_dictionary())),
        **more_parsers(),
    }  # fmt: skip


# ---------------------------------------------------------------- the round


def _interrupt(*_: object) -> None:
    raise TookTooLong


def try_one(name: str, given: Input, slow: float = math.inf) -> str:
    """试一个输入: what is wrong with what the parser made of it, "" where nothing is; `slow` is in seconds of this thread."""
    began = time.thread_time()
    before = signal.signal(signal.SIGPROF, _interrupt)
    signal.setitimer(signal.ITIMER_PROF, STOP)
    try:
        _own(lambda: parsers()[name][1](given))
    except TookTooLong:
        return f"interrupted after {STOP:.0f} s"
    except Exception as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
        return f"{type(error).__name__} at {where}: {str(error)[:160]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    spent = time.thread_time() - began
    return f"took {spent:.1f} s of processor time" if spent > slow else ""


def fuzz(
    name: str, inputs: int, seed: int, start: int = 0, slow: float = math.inf
) -> list[tuple[int, Input, str]]:
    """试一个解析器: (number, input, what is wrong) of each finding among `inputs` inputs.

    An input is slow from `slow` seconds on; the tests name none, since a busy machine is no fault of a parser.
    """
    make, found = parsers()[name][0], []
    for number in range(start, start + inputs):
        given = make(random.Random(f"{seed}/{name}/{number}"))
        wrong = try_one(name, given, slow)
        if wrong:
            found.append((number, given, wrong))
    return found


def smaller(name: str, given: Input, wrong: str, tries: int = 400) -> Input:
    """缩小: parts of the input that are not needed for the same finding are left out."""
    kind, size = wrong.split(":")[0], max(len(given.data) // 2, 1)
    while size and tries > 0 and "took" not in wrong and "interrupted" not in wrong:
        at = 0
        while at < len(given.data) and tries > 0:
            less, tries = replace(given, data=given.data[:at] + given.data[at + size :]), tries - 1
            if try_one(name, less).split(":")[0] == kind:
                given = less
            else:
                at += size
        size //= 2
    return given


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0, help="number of the first input")
    parser.add_argument("--parser", choices=list(parsers()))
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    rows, total = [], 0
    for name in [given.parser] if given.parser else parsers():
        began = time.process_time()
        found = fuzz(name, given.inputs, given.seed, given.start, SLOW)
        kinds_seen: dict[str, int] = {}
        for number, one, wrong in found:
            kind = wrong.split(":")[0] + wrong.split(":")[1][:4] if ":" in wrong else wrong[:4]
            kinds_seen[kind] = kinds_seen.get(kind, 0) + 1
            if kinds_seen[kind] == 1:
                least = smaller(name, one, wrong)
                print(f"{name} --seed {given.seed} --start {number} --inputs 1: {wrong}\n    {one.suffix} {least.data[:600]!r}", flush=True)  # fmt: skip
        rows.append((name, given.inputs, len(found), time.process_time() - began))
        total += len(found)
    print(f"{'parser':<14}{'inputs':>9}{'findings':>10}{'CPU s':>8}")
    for name, inputs, findings, spent in rows:
        print(f"{name:<14}{inputs:>9}{findings:>10}{spent:>8.1f}")
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()
