"""档案文件: what a firm's file looks like as YAML that a person can read and a machine can read back whole."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

import yaml

from engine import kinds
from engine.indicators import Dictionary, Indicator
from engine.yamltext import why_not_built
from profiles.file import CONFLICT, KNOWN, STALE, Fact, Key, split
from profiles.ingest import UNUSABLE
from profiles.values import LARGEST_FEN

SECTIONS = ("登记", "经营", "研发与人员", "资质荣誉", "信用", "政策享受", "画像", "其他")
RAW = "原样"
FLAT = re.compile(r"[^@]+(?:@\d{1,4})?")


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Texts as texts: whatever YAML might take for a number, a date or a truth value is quoted by the emitter."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dump_yaml(plain: Mapping[str, Any]) -> str:
    """写 YAML: keys in their order, Chinese as it is."""
    return yaml.dump(
        plain, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000, default_flow_style=False
    )


def parse_yaml(text: str, file: str) -> dict[str, Any]:
    """读 YAML. Raises ValueError that names the file and line."""
    if wrong := why_not_built(text):
        raise ValueError(f"{file}  {wrong}")
    try:
        plain = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"{file}{f':{mark.line + 1}' if mark else ''}  不是可读的 YAML") from error
    except ValueError as error:  # a day that is none, a number of thousands of digits
        raise ValueError(f"{file}  有写错的日期或太长的数") from error
    if not isinstance(plain, dict):
        raise ValueError(f"{file}:1  不是档案文件")
    return plain


def readable(content: Mapping[str, Any], dictionary: Dictionary) -> dict[str, Any]:
    """可读的内容: flat keys with money in yuan, 是/否 and lists; read back by `body_of`."""
    return {flat: _shown(flat, value, dictionary) for flat, value in content.items()}


def body_of(plain: Mapping[str, Any], dictionary: Dictionary) -> str:
    """还原内容: the canonical JSON that `readable` was made from. Raises ValueError for a value of another kind."""
    odd = next((flat for flat in plain if not isinstance(flat, str) or not FLAT.fullmatch(flat)), None)
    if odd is not None:
        raise ValueError(f"“{odd}”不是指标名，也不是 指标名@年度")
    parts = []
    for flat, value in plain.items():
        try:
            parts.append(encode_basestring(flat) + ":" + _encoded(_stored(flat, value, dictionary)))
        except (TypeError, json.JSONDecodeError, RecursionError):
            raise ValueError(f"“{flat}”的内容读不懂") from None
    return "{" + ",".join(parts) + "}"


def by_section(facts: Mapping[Key, Fact], dictionary: Dictionary) -> dict[str, list[Fact]]:
    """分节: facts as an officer thinks of them, in the dictionary's order and by year."""
    order = {name: i for i, name in enumerate(dictionary)}
    found: dict[str, list[Fact]] = {}
    for fact in sorted(
        facts.values(), key=lambda f: (order.get(f.indicator, 10**6), f.indicator, f.year or 0)
    ):
        found.setdefault(section_of(fact.indicator, dictionary), []).append(fact)
    return {name: found[name] for name in SECTIONS if name in found}


def section_of(indicator: str, dictionary: Dictionary) -> str:
    """所在一节: as the dictionary says, else by the register that owns the indicator."""
    spec = dictionary.get(indicator)
    if spec is None:
        return "资质荣誉" if indicator in ("项目", "产品", "人才") else "其他"
    if spec.section:
        return spec.section
    return {
        "市场监管": "登记", "税务": "经营", "统计": "经营", "海关": "经营", "金融": "经营", "社保": "研发与人员",
        "人社": "研发与人员", "科技": "资质荣誉", "工信": "资质荣誉", "知识产权": "资质荣誉", "信用": "信用", "应急": "信用",
        "环保": "信用", "兑现台账": "政策享受", "财政": "政策享受", "画像": "画像",
    }.get(spec.source, "其他")  # fmt: skip


def shown_value(fact: Fact, dictionary: Dictionary) -> str:
    """给人看的取值: 45,379,000元, 12.5%, 是, 2024-06-30."""
    return shown_of(fact.shown, dictionary.get(fact.indicator))


def shown_of(value: Any, spec: Indicator | None) -> str:
    """给人看的取值, of a plain value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            return f"{len(value)}项"
        return "；".join(map(str, value))
    if spec is not None and not isinstance(value, str):
        if spec.kind == kinds.MONEY:
            return f"{value:,.2f}".rstrip("0").rstrip(".") + "元"
        if spec.kind == kinds.RATIO:
            return f"{value * 100:.4f}".rstrip("0").rstrip(".") + "%"
        if spec.kind == kinds.COUNT:
            return f"{value:,}{spec.unit}"
    return str(value)


def stated(fact: Fact, dictionary: Dictionary) -> dict[str, Any]:
    """现值的一条: value, state where it is not 已知, source and date; for the readable part of a file."""
    entry: dict[str, Any] = {"值": shown_value(fact, dictionary)}
    if fact.state != KNOWN:
        entry["状态"] = fact.state
    entry["来源"] = f"{fact.department}（{fact.source}）"
    entry["数据日期" if fact.dated else "到达日期"] = fact.day.isoformat()
    if fact.state in (CONFLICT, STALE) and fact.others:
        entry["另有"] = [
            f"{shown_value(other, dictionary)}（{other.department}，{other.day.isoformat()}）"
            for other in fact.others
        ]
    return entry


def _shown(flat: str, value: Any, dictionary: Dictionary) -> Any:
    if flat.startswith(UNUSABLE):
        return value
    spec = dictionary.get(split(flat)[0])
    if spec is not None and spec.kind == kinds.MONEY and isinstance(value, int):
        return f"{Decimal(value).scaleb(-2)}元"
    if isinstance(value, bool):
        return "是" if value else "否"
    if spec is None:
        return {RAW: json.dumps(value, ensure_ascii=False)}
    return value


def _stored(flat: str, value: Any, dictionary: Dictionary) -> Any:
    if flat.startswith(UNUSABLE):
        return value
    if isinstance(value, dict) and RAW in value:
        return json.loads(value[RAW])
    spec = dictionary.get(split(flat)[0])
    if spec is not None and spec.kind == kinds.MONEY:
        try:
            return _fen(Decimal(str(value).removesuffix("元")))
        except (ArithmeticError, ValueError):
            raise ValueError(f"“{flat}”的“{str(value)[:40]}”不是金额，或者大得不像金额") from None
    if spec is not None and spec.kind == kinds.BOOL:
        return value == "是"
    return value


def _fen(yuan: Decimal) -> int:
    """Whole fen. Raises ValueError beyond the largest sum there is: `1e999999` would be a million digits."""
    if not abs(yuan) <= LARGEST_FEN // 100:
        raise ValueError
    return int(yuan.scaleb(2))


def _encoded(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
