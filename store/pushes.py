"""推送: from a night's lists to the outbox: what is new, for whom it is held back and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlmodel import Session, select

from engine.grantmoves import AUTOMATIC, ONCE, State, variant_of
from engine.indicators import SELF_REPORTED
from engine.policy import PolicyItem
from policies.readiness import readiness
from store import budgets, grants
from store.approved import APPROVED, approved_against
from store.calendars import office_calendar
from store.database import to_fen, writing
from store.faults import point
from store.messages import KINDS, money_words, template
from store.nights import UNRELEASED, later_night
from store.outbox import DUE, SENT, SUPPRESSED, Push, push_key, take_turns
from store.review import setting
from store.suppress import Asked, Facts, held, load_facts
from store.waiting import (
    GONE,
    REPLACED,
    Moves,
    extend,
    move,
    move_of,
    reword,
    said_of,
    withdraw_items,
    withdrawn,
)

if TYPE_CHECKING:
    from engine.program import Program
    from store.nights import Night

ALWAYS = ("webhook", "inbox")
CODE, NAME = "统一社会信用代码", "企业名称"
MOST_QUESTIONS = 2
MONEY = ("奖补", "减免")  # categories whose items bring money
CHUNK = 2000
SHANGHAI_HOURS = timedelta(hours=8)


@dataclass(frozen=True)
class Wanted:
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
    forms: dict[tuple[object, ...], tuple[str, str]] = field(default_factory=dict, compare=False)


def queue_pushes(engine: Engine, night: Night, as_of: date, now: datetime) -> dict[str, int]:
    """排队推送: grants opened, then pushes due and held back of a night; safe to repeat. A held night queues nothing."""
    if night.state in UNRELEASED:
        return {"扣下": 1}
    later = looks_back(engine, night, now)
    if later is not None:
        return {"已有更近的比对": later}
    # Budgets first: who confirms tomorrow must find them.
    known = {(b.item, b.batch) for b in budgets.list_budgets(engine)}
    changed, faults = budgets.take_over(
        engine, budgets.ruled_budgets(night.library(), as_of, known), on=(now + SHANGHAI_HOURS).date(), at=now
    )
    counts = {"立项": open_wanted(engine, night, as_of, now), "排队": 0, "暂缓": 0, "撤回": 0}
    counts |= {"额度": changed} if changed else {}
    counts |= {"额度没有照改": len(faults)} if faults else {}
    counts |= {"随比对变": n} if (n := _follow(engine, night, as_of, now)) else {}
    channels = channels_of(engine)
    facts = load_facts(engine, as_of)
    live: set[tuple[str, str]] = set()

    def spoken_of() -> Iterator[tuple[About, list[Wanted]]]:
        for about, wanted in wanted_of(engine, night, as_of):
            live.add((about.item.id, about.batch))
            yield about, wanted

    for portions in _portions(spoken_of()):
        for name, n in _queue(engine, portions, channels, facts, night.no, now).items():
            counts[name] += n
    counts["撤回"] += withdraw_items(engine, live)
    return counts


def looks_back(engine: Engine, night: Night, now: datetime) -> int | None:
    """回看: the number of a released night of a later day, up to today; on a look back nobody is told anything."""
    return later_night(engine, night, (now + SHANGHAI_HOURS).date())


def channels_of(engine: Engine) -> tuple[str, ...]:
    """启用的渠道: webhook and inbox, and those the office switched on."""
    chosen = (setting(engine, "push", {}) or {}).get("channels", [])
    return tuple(dict.fromkeys((*ALWAYS, *chosen)))


# ---------------------------------------------------------------- what a night wants to say


def wanted_of(
    engine: Engine,
    night: Night,
    as_of: date,
    only: Collection[str] | None = None,
    which: Callable[[About], bool] = lambda about: True,
) -> Iterator[tuple[About, list[Wanted]]]:
    """要告知的: per item of a night (of `only` some, and of those `which` chooses), the pairs that are to hear of it; also
    those approved against the rule."""
    approved = approved_against(engine, as_of)
    library = night.library()
    ask_firms = bool((setting(engine, "push", {}) or {}).get("ask_firms", True))
    for row in night.items().itertuples():
        program = library.program(str(row.item))
        if (
            program is None
            or program.item.category == "资质"
            or (only is not None and str(row.item) not in only)
        ):
            continue
        about = about_item(program, str(row.batch), works_as(night, program, str(row.batch)))
        if not which(about):
            continue
        begun = {g.code: g.variant for g in grants.standings(engine, about.item.id, about.batch)}
        wanted = list(_pairs(night, about, ask_firms, begun))
        more = approved.get((about.item.id, about.batch), frozenset()) - {
            w.firm for w in wanted if w.kind != "ask"
        }
        if more:
            wanted = [w for w in wanted if w.firm not in more] + _approved(night, about, more, begun)
        if wanted:
            yield about, wanted


def works_as(night: Night, program: Program, batch: str) -> str:
    """实际按什么办: an item declared 免申即享 falls back by itself on a night whose data are not whole."""
    if program.item.delivery != AUTOMATIC:
        return program.item.delivery
    return readiness(program, batch, night.columns()).works_as


def _pairs(night: Night, about: About, ask_firms: bool, begun: Mapping[str, str]) -> Iterator[Wanted]:
    """The pairs to tell; a grant that has begun goes on as it began, whatever its item is today."""
    usual, money = variant_of(about.delivery), about.item.category in MONEY
    names = [CODE, NAME, "verdict", *_sums(about), "gave_way", "unknown"]
    table = night.pairs(about.item.id, names)
    if table is None:
        return
    told = pc.equal(table["verdict"], "符合")
    if ask_firms:
        count = pc.list_value_length(table["unknown"])
        told = pc.or_(told, pc.and_(pc.greater(count, 0), pc.less_equal(count, MOST_QUESTIONS)))
    table = table.filter(pc.and_(told, pc.equal(pc.fill_null(table["gave_way"], ""), "")))
    for code, name, verdict, low, high, _, unknown in zip(
        *(table[n].to_pylist() for n in names), strict=True
    ):
        if money and high is not None and high <= 0:  # nothing to be told, and no grant of nothing
            continue
        open_ids = tuple(unknown) if verdict == "待核实" else ()
        askable = (
            ask_firms and 0 < len(open_ids) <= MOST_QUESTIONS and all(u in about.questions for u in open_ids)
        )
        kind = KIND_OF.get(begun.get(code, usual), "inform")
        if verdict == "符合" or askable:
            yield Wanted(
                code, name or code, about.item.id, about.batch, kind if verdict == "符合" else "ask", verdict,
                _number(low), _number(high), open_ids,
            )  # fmt: skip


KIND_OF = {AUTOMATIC: "confirm", ONCE: "invite"}


def _approved(night: Night, about: About, codes: Collection[str], begun: Mapping[str, str]) -> list[Wanted]:
    """改判通过的: what the night says no sum of, since a person decides it."""
    usual = variant_of(about.delivery)
    return [
        Wanted(
            code, name, about.item.id, about.batch, KIND_OF.get(begun.get(code, usual), "inform"), APPROVED, None, None
        )
        for code, name in _names(night, codes).items()
    ]  # fmt: skip


def _names(night: Night, codes: Collection[str]) -> dict[str, str]:
    """企业名称 of codes that are in the night's files, in the order of codes."""
    columns = night.columns()
    here = {code: row for row, code in enumerate(columns.codes) if code in codes}
    found = columns.category(NAME, None)
    words = {c: found.names[found.codes[row]] if found.codes[row] >= 0 else c for c, row in here.items()}
    return dict(sorted(words.items()))


@dataclass(frozen=True)
class Matched:
    """一夜说的: of one pair; `gone` says why it does not fit or gave way."""

    name: str
    verdict: str
    low: float | None
    high: float | None
    gone: str = ""


def matched(night: Night, about: About, code: str) -> Matched:
    """一夜怎么说 of one enterprise and item."""
    frame = night.hits(about.item.id)
    row = frame[frame[CODE] == code] if len(frame) else frame
    name = _names(night, [code]).get(code, code)
    if not len(row):
        return Matched(name, "不符合", None, None, "不符合")
    low, high = (_number(row.iloc[0][n]) for n in _sums(about))
    gave = str(row.iloc[0]["gave_way"] or "")
    return Matched(name, str(row.iloc[0]["verdict"]), low, high, f"让位于 {gave}" if gave else "")


def _sums(about: About) -> tuple[str, str]:
    """Which amounts a grant starts from: where the budget is shared out in the end, those before tonight's forecast."""
    forecast = about.short and all(e.pick != "补差" for e in about.item.exclusive)
    return ("amount_low", "amount_high") if forecast else ("paid_low", "paid_high")


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


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
    why = tuple(f"{c.quote}（{c.cite}）" for c in shown if c.quote)
    return About(item, batch, delivery, fields, why, _questions(program), window.opens, window.closes, short)


def _questions(program: Program) -> dict[str, str]:
    """Numbered conditions that a firm itself can clear up: every leaf reads what firms report, none is hidden."""
    from engine.expression import references, walk
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


# ---------------------------------------------------------------- grants


def _begins_by_itself(about: About) -> bool:
    return variant_of(about.delivery) in (AUTOMATIC, ONCE) and about.item.category in MONEY


def open_wanted(
    engine: Engine, night: Night, as_of: date, now: datetime, only: Collection[str] | None = None
) -> int:
    """立项: 免申即享 goes on the list, 即申即享 gets its prefilled form; the rest waits for an application."""
    opened = 0
    calendar = office_calendar(engine)
    for about, wanted in wanted_of(engine, night, as_of, only, _begins_by_itself):
        variant = variant_of(about.delivery)
        found = [new_grant(about, w, variant, night.no) for w in wanted if w.verdict in ("符合", APPROVED)]
        opened += grants.open_grants(engine, found, as_of, now, calendar)
    return opened


def _follow(engine: Engine, night: Night, as_of: date, now: datetime) -> int:
    """Grants under way follow the night: new sums, and marks where a pair fits no more or gave way."""
    calendar, library = office_calendar(engine), night.library()
    known = grants.batches_with(engine, grants.UNDER_WAY)
    approved = approved_against(engine, as_of)
    moved = 0
    for row in night.items().itertuples():
        program = library.program(str(row.item))
        if program is None or (program.item.id, str(row.batch)) not in known:
            continue
        about = about_item(program, str(row.batch), works_as(night, program, str(row.batch)))
        found = _found_of(night, about, approved.get((about.item.id, about.batch), frozenset()))
        moved += grants.follow_night(
            engine, about.item.id, about.batch, found, night.no, as_of, now, calendar, about.closes
        )
    return moved


def _found_of(night: Night, about: About, approved: Collection[str]) -> Callable[[str], grants.Found | None]:
    """What a night says of an enterprise's grant; an open verdict says nothing, nor does one against which people decided."""
    frame = night.hits(about.item.id)
    names = [CODE, "verdict", *_sums(about), "gave_way"]
    rows = frame[names].itertuples(index=False, name=None) if len(frame) else ()
    said: dict[str, grants.Found | None] = {}
    for code, verdict, low, high, gave in rows:
        if gave:
            said[code] = grants.Found(gone=f"让位于 {gave}")
        elif verdict == "符合":
            low, high = _number(low), _number(high)
            fen = None if high is None else to_fen(high)
            said[code] = grants.Found(fen if low == high else None, fen)
        else:
            said[code] = None
    return lambda code: (
        said[code] if code in said else None if code in approved else grants.Found(gone="不再符合")
    )


def new_grant(about: About, wanted: Wanted, variant: str, run_no: int | None) -> grants.NewGrant:
    """待立项: of a pair that fits."""
    high = None if wanted.high is None else to_fen(wanted.high)
    exact = wanted.high is not None and wanted.low == wanted.high
    days = dict(about.item.guide).get("publicity")
    digits = "".join(ch for ch in str(days or "") if ch.isdecimal())
    return grants.NewGrant(
        wanted.firm, wanted.name, wanted.item, wanted.batch, about.item.title, about.item.department, variant,
        high if exact else None, high, int(digits) if digits else 5, run_no, about.closes,
        about.item.benefit.instalments if about.item.benefit else (),
    )  # fmt: skip


# ---------------------------------------------------------------- into the outbox


@dataclass(frozen=True)
class Portion:
    """一份: some pairs of an item; with the last ones all its pairs, so that what is no longer among them is withdrawn."""

    about: About
    part: Sequence[Wanted]
    whole: Sequence[Wanted] | None


def _portions(wanted: Iterable[tuple[About, list[Wanted]]]) -> Iterator[list[Portion]]:
    """About as many pairs at once as a transaction is worth: many small items together, a large one in several."""
    waiting: list[Portion] = []
    for about, pairs in wanted:
        for begin in range(0, len(pairs), CHUNK):
            last = begin + CHUNK >= len(pairs)
            waiting.append(Portion(about, pairs[begin : begin + CHUNK], pairs if last else None))
            if sum(len(p.part) for p in waiting) >= CHUNK:
                yield waiting
                waiting = []
    if waiting:
        yield waiting


def _queue(
    engine: Engine, portions: Sequence[Portion], channels: Sequence[str], facts: Facts, run_no: int, now: datetime
) -> dict[str, int]:  # fmt: skip
    counts = {"排队": 0, "暂缓": 0, "撤回": 0}
    with writing(engine) as opened:
        take_turns(opened)
        for portion in portions:
            about, part = portion.about, portion.part
            known = _known(opened, about, [w.firm for w in part])
            rows = [
                row
                for w in part
                for channel in channels
                if (row := _row(about, w, channel, facts, run_no, now, known)) is not None
            ]
            counts["排队"] += sum(r["state"] == DUE for r in rows)
            counts["暂缓"] += sum(r["state"] == SUPPRESSED for r in rows)
            _insert(opened, rows)
            _refresh(opened, about, part, channels, facts, known, run_no, now)
            if portion.whole is not None:
                counts["撤回"] += _withdraw(opened, about, {(w.firm, w.kind) for w in portion.whole})
        point("pushes.queued")
    return counts


Known = dict[tuple[str, str, str], Push]


def _known(opened: Session, about: About, firms: Sequence[str]) -> Known:
    """Pushes of this item and batch that exist in any version, by firm, channel and kind; the furthest counts."""
    found: Known = {}
    rank = {SUPPRESSED: 0, DUE: 1}

    def far(push: Push) -> tuple[int, int]:
        return rank.get(push.state, 2), push.version

    for begin in range(0, len(firms), 500):
        query = select(Push).where(
            Push.item == about.item.id, Push.batch == about.batch, Push.firm.in_(firms[begin : begin + 500])  # type: ignore[attr-defined]
        )  # fmt: skip
        for push in opened.exec(query).all():
            key = (push.firm, push.channel, push.kind)
            other = found.get(key)
            if other is None or far(push) > far(other):
                found[key] = push
    return found


def _row(
    about: About, wanted: Wanted, channel: str, facts: Facts, run_no: int, now: datetime, known: Known
) -> dict[str, Any] | None:
    before = known.get((wanted.firm, channel, wanted.kind))
    if before is not None and not _outdated(before):
        return None
    form = template(wanted.kind)
    asked = Asked(wanted.firm, wanted.item, wanted.batch, channel, wanted.kind, about.closes)
    stop = held(asked, facts)
    key = push_key(wanted.firm, wanted.item, wanted.batch, channel, wanted.kind, form.version)
    return {
        "key": key, "firm": wanted.firm, "item": wanted.item, "batch": wanted.batch, "channel": channel,
        "kind": wanted.kind, "version": form.version, "state": SUPPRESSED if stop else DUE,
        "reason": stop.reason if stop else "", "hold_until": stop.until if stop else None, "attempts": 0,
        "next_at": now, "lease": "", "leased_until": None, "parcel": "", "run_no": run_no, "created": now,
        "sent": None, "receipt": "", "read": None, **_written(key, about, wanted, channel, facts, run_no),
    }  # fmt: skip


def _written(
    key: str, about: About, wanted: Wanted, channel: str, facts: Facts, run_no: int | None
) -> dict[str, Any]:
    """Subject, body and the fields that a confirmation is worded with again when its grant waits for the firm."""
    wanted, until = _said(about, wanted, facts)
    form = _form(about, wanted, channel, until, run_no)
    amount = money_words(wanted.low, wanted.high) + about.fields["short"]
    own = {_FIRM: wanted.name, _AMOUNT: amount}
    body = {**own, _KEY: key, _CODE: wanted.firm, _LOW: wanted.low, _HIGH: wanted.high}
    kept = _fields(about, wanted, until) if wanted.kind == "confirm" else None
    return {
        "subject": _filled(form[0], own),
        "body": _filled_json(form[1], body) if channel == "webhook" else _filled(form[1], own),
        "fields": kept,
        "closes": about.closes,
    }


# characters that no text has, where a form has what is each firm's own
_FIRM, _AMOUNT, _KEY, _CODE, _LOW, _HIGH = (chr(0xE000 + i) for i in range(6))


def _form(about: About, wanted: Wanted, channel: str, until: str, run_no: int | None) -> tuple[str, str]:
    """样张: subject and body of all firms alike, the firm's own left open; rendered once, not a hundred thousand times."""
    key = (channel, wanted.kind, wanted.verdict, wanted.unknown, until, run_no)
    found = about.forms.get(key)
    if found is None:
        blank = replace(wanted, firm=_CODE, name=_FIRM)
        subject, text = template(wanted.kind).render({**_fields(about, blank, until), "amount": _AMOUNT})
        body = text
        if channel == "webhook":
            marked = replace(blank, low=_LOW, high=_HIGH)  # type: ignore[arg-type]
            body = webhook_body(_KEY, about, marked, until, subject, text, run_no)
        found = about.forms[key] = (subject, body)
    return found


def _filled(form: str, own: Mapping[str, str]) -> str:
    for mark, words in own.items():
        form = form.replace(mark, words)
    return form


def _filled_json(form: str, own: Mapping[str, str | float | None]) -> str:
    """The same in canonical JSON: texts escaped, numbers without the quotes their mark stood in."""
    for mark, value in own.items():
        if mark in (_LOW, _HIGH):
            form = form.replace(f'"{mark}"', json.dumps(value))
        else:
            form = form.replace(mark, json.dumps(value, ensure_ascii=False)[1:-1])
    return form


def _said(about: About, wanted: Wanted, facts: Facts) -> tuple[Wanted, str]:
    """The pair with the sum and the day that its grant has, where it waits for the firm; else the night's."""
    grant = facts.grants.get((wanted.firm, wanted.item, wanted.batch))
    if wanted.kind == "confirm" and grant is not None and grant.state == State.CONFIRM.value:
        low, high, until = said_of(grant)
        return replace(wanted, low=low, high=high), until
    return wanted, about.closes.isoformat()


def _fields(about: About, wanted: Wanted, until: str) -> dict[str, str]:
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


def _insert(opened: Session, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    make = sqlite.insert if opened.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = make(Push.__table__).on_conflict_do_nothing(index_elements=["key"])  # type: ignore[attr-defined]
    opened.connection().execute(statement, rows)


def _refresh(
    opened: Session, about: About, part: Sequence[Wanted], channels: Sequence[str], facts: Facts, known: Known,
    run_no: int, now: datetime,
) -> None:  # fmt: skip
    """What waits is asked again: a reason that ended lets it go, a new one holds it; its words are tonight's."""
    moves: Moves = []
    words: Moves = []
    for wanted in part:
        for channel in channels:
            push = known.get((wanted.firm, channel, wanted.kind))
            if push is None or push.state not in (DUE, SUPPRESSED):
                continue
            if _outdated(push):
                moves += [
                    {"k": push.key, "to": SUPPRESSED, "why": REPLACED, "until": None, "at": push.next_at}
                ]
                continue
            asked = Asked(push.firm, push.item, push.batch, channel, push.kind, about.closes)
            moves += move_of(push, held(asked, facts), now)
            words += _new_words(push, about, wanted, channel, facts, run_no)
    move(opened, moves)
    reword(opened, words)
    extend(opened, about.item.id, about.batch, about.closes)


def _outdated(push: Push) -> bool:
    """Whether a push waits in words of an older template that nobody was sent yet."""
    return (
        push.state in (DUE, SUPPRESSED)
        and push.attempts == 0
        and not push.parcel
        and push.version != template(push.kind).version
    )


def _new_words(push: Push, about: About, wanted: Wanted, channel: str, facts: Facts, run_no: int) -> Moves:
    """改写 of a push that nobody was sent yet, where the night says something else than it does; its number stays else."""
    if push.attempts or push.parcel or push.version != template(push.kind).version:
        return []
    same = _written(push.key, about, wanted, channel, facts, push.run_no)
    if (same["subject"], same["body"]) == (push.subject, push.body):
        return []
    new = _written(push.key, about, wanted, channel, facts, run_no)
    return [
        {"k": push.key, "new_subject": new["subject"], "new_body": new["body"], "new_run": run_no,
         "new_fields": new["fields"]}
    ]  # fmt: skip


def _withdraw(opened: Session, about: About, still: set[tuple[str, str]]) -> int:
    """撤回: what waits for a pair that is no longer on the list."""
    query = select(Push.key, Push.firm, Push.kind, Push.next_at).where(
        Push.item == about.item.id, Push.batch == about.batch, Push.lease == "",
        Push.state.in_([DUE, SUPPRESSED]), Push.reason.not_in([GONE, REPLACED]), Push.kind.in_(KINDS),  # type: ignore[attr-defined]
    )  # fmt: skip
    rows: Sequence[Any] = opened.exec(query).all()
    gone = [r for r in rows if (r.firm, r.kind) not in still]
    move(opened, withdrawn(gone))
    return len(gone)


__all__ = ["DUE", "SENT", "SUPPRESSED", "Wanted", "queue_pushes", "wanted_of"]
