"""改判: pairs that people approved against the rule's own word; they get their grant and their messages all the same."""

from __future__ import annotations

from datetime import date

from sqlalchemy.engine import Engine
from sqlmodel import col, select

from store.database import session
from store.review import APPROVE, WORDS, ReviewDecision, states

APPROVED = "改判通过"


def approved_against(engine: Engine, today: date) -> dict[tuple[str, str], frozenset[str]]:
    """改判通过的企业 by (item, batch): the decision is the pair's last, took effect and has not run out."""
    with session(engine) as opened:
        codes = opened.exec(
            select(ReviewDecision.code).where(ReviewDecision.kind == APPROVE, col(ReviewDecision.overrides))
        ).all()
        if not codes:
            return {}
        made = opened.exec(select(ReviewDecision).where(col(ReviewDecision.code).in_(set(codes)))).all()
    found: dict[tuple[str, str], set[str]] = {}
    for (item, batch, code), state in states(made, {}, today).items():
        one = state.decision
        if state.word == WORDS[APPROVE] and one is not None and one.overrides:
            found.setdefault((item, batch), set()).add(code)
    return {key: frozenset(codes) for key, codes in found.items()}
