"""告知的话: what a push says: an item's form is rendered once, and each firm's own put into it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.grantmoves import State
from engine.indicators import SELF_REPORTED
from engine.policy import PolicyItem
from store import budgets
from store.forms import AMOUNT, CODE, FIRM, HIGH, KEY, LOW, Form, form_of, own_of, sum_of
from store.messages import money_words, template
from store.suppress import Facts
from store.waiting import said_of

if TYPE_CHECKING:
    from engine.program import Program


class Wanted(NamedTuple):
    """要告知的一条: a pair of the night with its words; amounts in yuan, None unknown."""

    firm: str
    name: str
    item: str
    batch: str
    kind: str
    verdict: str
    low: float | None
    high: float | None
    unknown: tuple[str, ...] = ()


class Told(NamedTuple):
    """告知相同的一组: pairs of one item that are told in one kind and in the same words but for each firm's own; amounts in
    yuan, None unknown."""

    kind: str
    verdict: str
    unknown: tuple[str, ...]
    firms: list[str]
    names: list[str]
    lows: list[float | None]
    highs: list[float | None]

    def between(self, begin: int, end: int) -> Told:
        """其中一段."""
        columns: Any = (column[begin:end] for column in self[3:])
        return Told(*self[:3], *columns)

    def without(self, firms: Collection[str]) -> Told:
        """去掉一些企业."""
        kept = [i for i, firm in enumerate(self.firms) if firm not in firms]
        columns: Any = ([column[i] for i in kept] for column in self[3:])
        return Told(*self[:3], *columns)

    def wanted(self, about: About) -> Iterator[Wanted]:
        """逐条."""
        item, batch = about.item.id, about.batch
        for firm, name, low, high in zip(*self[3:], strict=True):
            yield Wanted(firm, name, item, batch, self.kind, self.verdict, low, high, self.unknown)


@dataclass(frozen=True)
class About:
    """事项的话: what every message of one item and batch says."""

    item: PolicyItem
    batch: str
    delivery: str
    fields: Mapping[str, str]
    why: tuple[str, ...]
    questions: Mapping[str, str]
    opens: date
    closes: date
    short: str = ""


def about_item(program: Program, batch: str, delivery: str) -> About:
    """事项的话: title, document, why, questions a firm can answer, by when, whom to ask."""
    item, document = program.item, program.document
    window = item.batch(batch)
    if window is None:
        raise ValueError(f"{item.id} 没有 {batch} 这个批次")
    guide = {k: str(v) for k, v in item.guide}
    shown = [c.condition for c in program.conditions if not c.condition.hidden]
    short = "" if window.budget is None else item.budget.when_short if item.budget else budgets.PRO_RATA
    fields = {
        "title": item.title,
        "document": f"《{document.title}》",
        "number": document.number or "文号未录",
        "materials": f"，另交{'、'.join(item.materials)}" if item.materials else "",
        "deadline": f"，{item.deadline}内到账" if item.deadline else "",
        "channel": guide.get("channel") or item.department or "政策办",
        "contact": "，".join(filter(None, (guide.get("contact") or item.department, guide.get("phone"))))
        or "政策办",
        "complaint": guide.get("complaint") or "12345",
        "short": f"（本批次有额度，不够时{short}）" if short else "",
    }
    why = tuple(f"{c.quote}（{c.cite.rstrip('、.．')}）" for c in shown if c.quote)
    return About(item, batch, delivery, fields, why, _questions(program), window.opens, window.closes, short)


def _questions(program: Program) -> dict[str, str]:
    """Numbered conditions that a firm itself can clear up: every leaf reads what firms report, none is hidden."""
    from engine.nodes import references, walk
    from engine.program import tree_expressions
    from profiles.dictionary import builtin_dictionary

    dictionary = builtin_dictionary()
    found = {}
    for one in program.conditions:
        nodes = list(one.condition.walk())
        if any(n.hidden or n.kind == "ask" for n in nodes):
            continue
        names = {name for e in tree_expressions(one.tree) for part in walk(e) for name, _ in references(part)}
        own = [n for n in names if n in dictionary and dictionary[n].source == SELF_REPORTED]
        if own:
            found[one.id] = f"{'、'.join(sorted(own))}：{one.condition.quote}"
    return found


# ---------------------------------------------------------------- forms


class Words:
    """一事项的话: the form and the firm's own of each of its pushes; filled in they are what `template.render` and
    `webhook_body` would write."""

    def __init__(self, about: About, facts: Facts):
        self._about, self._facts = about, facts
        self._until = about.closes.isoformat()
        self._forms: dict[tuple[object, ...], Form] = {}
        self._sums: dict[tuple[float | None, float | None], str] = {}

    def said(self, wanted: Wanted) -> tuple[Wanted, str]:
        """The pair with the sum and the day that its grant has, where it waits for the firm; else the night's."""
        if wanted.kind == "confirm":
            grant = self._facts.grants.get((wanted.firm, wanted.item, wanted.batch))
            if grant is not None and grant.state == State.CONFIRM.value:
                low, high, until = said_of(grant)
                return wanted._replace(low=low, high=high), until
        return wanted, self._until

    def kept(self, wanted: Wanted) -> dict[str, str] | None:
        """The fields that a confirmation is worded with again when its grant waits for the firm."""
        if wanted.kind != "confirm":
            return None
        told, until = self.said(wanted)
        return fields_of(self._about, told, until)

    def of(self, wanted: Wanted, channels: Iterable[str], run_no: int | None) -> tuple[dict[str, Form], str]:
        """The form by channel, and the firm's own."""
        told, until = self.said(wanted)
        forms = {channel: self._form(told, channel, until, run_no) for channel in channels}
        return forms, own_of(told.name, self._sum((told.low, told.high)))

    def alike(
        self, group: Told, channels: Iterable[str], run_no: int | None
    ) -> tuple[dict[str, Form], list[str]]:
        """The forms of pairs told alike, which a confirmation is not, and each firm's own."""
        one = next(iter(group.between(0, 1).wanted(self._about)))
        forms = {channel: self._form(one, channel, self._until, run_no) for channel in channels}
        sums = map(self._sum, zip(group.lows, group.highs, strict=True))
        return forms, list(map(own_of, group.names, sums))

    def _sum(self, ends: tuple[float | None, float | None]) -> str:
        found = self._sums.get(ends)
        if found is None:
            amount = money_words(*ends) + self._about.fields["short"]
            found = self._sums[ends] = sum_of(amount, *map(json.dumps, ends))
        return found

    @property
    def forms(self) -> Iterable[Form]:
        """The forms that were asked for."""
        return self._forms.values()

    def _form(self, wanted: Wanted, channel: str, until: str, run_no: int | None) -> Form:
        """样张: subject and body of all firms alike, rendered once, not a hundred thousand times."""
        quoted = channel == "webhook"
        key = (quoted, wanted.kind, wanted.verdict, wanted.unknown, until, run_no if quoted else None)
        found = self._forms.get(key)
        if found is None:
            about = self._about
            blank = wanted._replace(firm=CODE, name=FIRM)
            fields = {**fields_of(about, blank, until), "amount": AMOUNT}
            subject, body = template(wanted.kind).render(fields)
            if quoted:
                marked = blank._replace(low=LOW, high=HIGH)  # type: ignore[arg-type]
                body = webhook_body(KEY, about, marked, until, subject, body, run_no)
            found = self._forms[key] = form_of(subject, body)
        return found


def version_of(kind: str) -> int:
    """模板的版本 that a push of this kind is made with now."""
    return template(kind).version


def terms(about: About, kinds: Iterable[str]) -> tuple[object, ...]:
    """话的来历: all that decides an item's words but the pairs, in values whose text says them whole."""
    item = about.item
    return (
        item.id, about.batch, about.delivery, sorted(about.fields.items()), about.why, sorted(about.questions.items()),
        about.opens, about.closes, about.short, item.category, item.self_declared, [template(kind) for kind in kinds],
    )  # fmt: skip


def fields_of(about: About, wanted: Wanted, until: str) -> dict[str, str]:
    """填空: what a template is rendered with."""
    return {
        **about.fields,
        "firm": wanted.name,
        "amount": money_words(wanted.low, wanted.high) + about.fields["short"],
        "until": until,
        "why": "\n".join(f"· {w}" for w in about.why) or "· 见政策原文",
        "questions": "\n".join(f"· {about.questions[u]}" for u in wanted.unknown if u in about.questions),
    }


def webhook_body(
    key: str, about: About, wanted: Wanted, until: str, subject: str, text: str, run_no: int | None
) -> str:
    """网络回调的内容: canonical JSON, the same to the byte whenever it is sent."""
    body = {
        "key": key, "kind": wanted.kind, "firm": wanted.firm, "firm_name": wanted.name, "item": wanted.item,
        "title": about.item.title, "batch": wanted.batch, "verdict": wanted.verdict, "amount_low": wanted.low,
        "amount_high": wanted.high, "until": until, "why": list(about.why),
        "questions": [about.questions[u] for u in wanted.unknown if u in about.questions],
        "subject": subject, "text": text, "run": run_no,
    }  # fmt: skip
    return json.dumps(body, ensure_ascii=False, sort_keys=True)
