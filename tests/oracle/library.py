"""A library of the rule language read from its folder, every scalar as text (sections 1 and 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.oracle.parser import COUNT, MONEY, RATIO, Indicator, Names, Node, parse_condition, parse_sum
from tests.oracle.parser import RuleError as RuleError

DICTIONARY = Path(__file__).resolve().parents[2] / "profiles" / "indicators.yaml"
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
NODES = ("when", "all", "any", "not", "ask")
FORMS = ("amount", "range", "upto", "bands", "cases", "words")
NUMERIC = (MONEY, RATIO, COUNT)


def text_yaml(path: Path) -> Any:
    """A YAML file with every scalar as text."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)


def many(value: Any) -> list[Any]:
    """A list of what may be written once or as a list."""
    return [] if value is None else value if isinstance(value, list) else [value]


@dataclass
class Batch:
    """申报批次: one line of `batches`."""

    id: str
    year: int
    opens: date
    closes: date
    rates: dict[str, Fraction]
    budget: str | None


@dataclass
class Item:
    """政策事项 in one batch, with its expressions parsed once."""

    id: str
    raw: dict[str, Any]
    general: list[dict[str, Any]]
    document: dict[str, Any]
    batches: list[Batch]
    names: Names
    parsed: dict[tuple[str, str], Node] = field(default_factory=dict)

    def live(self, as_of: date) -> Batch | None:
        """The batch that is open on a day, both days included; only 有效 items have one."""
        if self.raw.get("status", "有效") != "有效":
            return None
        return next((batch for batch in self.batches if batch.opens <= as_of <= batch.closes), None)

    def condition(self, text: str) -> Node:
        if ("when", text) not in self.parsed:
            self.parsed["when", text] = parse_condition(text, self.names)
        return self.parsed["when", text]

    def sum(self, text: str, *kinds: str) -> Node:
        if ("sum", text) not in self.parsed:
            self.parsed["sum", text] = parse_sum(text, self.names, *kinds)
        return self.parsed["sum", text]

    @property
    def numbered(self) -> list[dict[str, Any]]:
        """The numbered conditions: the document's general ones first, then the item's own."""
        without = self.raw.get("without", [])
        general = [node for node in self.general if node.get("id") not in without]
        return general + children(self.raw.get("conditions"))

    def prepare(self, batch: Batch) -> None:
        """Parse all that the item says with a batch's rates; a refused rule raises RuleError."""
        self.names.rates.clear()
        self.names.rates.update(batch.rates)
        self.parsed.clear()
        for node in self.numbered:
            self.check_node(node)
        benefit = self.raw.get("benefit")
        if benefit:
            self.check_benefit(benefit)

    def check_node(self, node: dict[str, Any]) -> None:
        for key in NODES:
            if key == "when" and key in node:
                self.condition(node[key])
            elif key in ("all", "any", "not") and key in node:
                for child in many(node[key]):
                    self.check_node(child)

    def check_benefit(self, benefit: dict[str, Any]) -> None:
        self.check_form(benefit)
        for exception in benefit.get("exceptions", []):
            self.check_node(exception)
            self.check_form(exception)
        banded = ["bands" in benefit] + [
            "bands" in e for e in benefit.get("exceptions", []) if any(form in e for form in FORMS)
        ]
        for add in benefit.get("adds", []):
            self.check_node(add)
            if "rate" in add and not all(banded):
                raise RuleError(2, "a rate without its bands")
            self.sum(add["rate"], RATIO) if "rate" in add else self.sum(add["amount"], MONEY)

    def check_form(self, form: dict[str, Any]) -> None:
        for key in ("amount", "upto", "cap", "floor", "cap_per_enterprise"):
            for text in many(form.get(key)):
                self.sum(text, MONEY)
        for text in form.get("range", {}).values():
            self.sum(text, MONEY)
        for case in form.get("cases", []):
            self.check_node(case)
            self.check_form(case)
        if "bands" in form:
            self.check_bands(form["bands"])

    def check_bands(self, bands: dict[str, Any]) -> None:
        by = self.sum(bands["by"], *NUMERIC)
        of = self.sum(bands.get("of", bands["by"]), *NUMERIC)
        edges = [step[key] for step in bands["steps"] for key in ("upto", "below") if key in step]
        for edge in [*edges, *many(bands.get("from"))]:
            if self.sum(edge, *NUMERIC).kind != by.kind and not self.sum(edge).bare:
                raise RuleError(2, f"{edge} against {by.kind}")
        for step in bands["steps"]:
            if "rate" in step:
                self.sum(step["rate"], RATIO)
                if of.kind != MONEY:
                    raise RuleError(2, f"a rate of {of.kind}")
            else:
                self.sum(step["amount"], MONEY)


def children(root: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The numbered conditions of a tree: the children of a root `all`, or the root itself."""
    return [] if not root else root.get("all", [root])


@cache
def built_in() -> dict[str, Indicator]:
    """The built-in dictionary, read once."""
    return read_indicators(DICTIONARY)


def read_indicators(path: Path) -> dict[str, Indicator]:
    entries = text_yaml(path) or {}
    return {
        name: Indicator(e["kind"], e.get("yearly") == "是", unit_of(e), e.get("absent_means"))
        for name, e in entries.items()
    }


def unit_of(entry: dict[str, str]) -> str | None:
    """Only the unit of a count matters; amounts are in yuan, ratios are fractions."""
    return entry.get("unit") if entry["kind"] == COUNT else None


def read_batch(name: str, raw: dict[str, Any]) -> Batch:
    rates = {currency: Fraction(rate) for currency, rate in raw.get("rates", {}).items()}
    opens, closes = date.fromisoformat(raw["opens"]), date.fromisoformat(raw["closes"])
    return Batch(name, int(raw["year"]), opens, closes, rates, raw.get("budget"))


def read_library(root: Path, sets: dict[str, list[str]] | None = None) -> Iterator[Item]:
    """Every item of a library, in the order of documents' and items' names."""
    indicators = dict(built_in())
    if (root / "indicators.yaml").exists():
        indicators |= read_indicators(root / "indicators.yaml")
    named = {path.stem: text_yaml(path) or [] for path in sorted(root.glob("sets/*.yaml"))} | (sets or {})
    for path in sorted(root.glob("*/document.yaml")):
        document = text_yaml(path)
        general = children(document.get("general", {}).get("conditions"))
        for file in sorted(path.parent.glob("items/*.yaml")):
            if file.name.endswith(".test.yaml"):
                continue
            raw = text_yaml(file)
            batches = [read_batch(name, b) for name, b in raw["batches"].items()]
            item_id = f"{path.parent.name}/{file.stem}"
            yield Item(item_id, raw, general, document, batches, Names(indicators, named))
