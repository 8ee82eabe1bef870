"""存下的编排: a plan with the amounts traced for it, as bytes, for the next process that matches items of the same meaning.

Planning three thousand items and tracing their amounts is Python of its own, the same every night until a rule changes.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence

from engine.kernel_meaning import own_meaning
from engine.kernel_plan import Plan
from engine.program import BoundItem


def plan_key(items: Sequence[BoundItem], made_of: str) -> str:
    """编排的钥匙: of the items in their order, each by its batch and what it says itself, and the code that plans them."""
    said = [(item.program.item.id, item.batch.name, own_meaning(item)) for item in items]
    return hashlib.sha256(repr((made_of, said)).encode()).hexdigest()


def pack(plan: Plan) -> bytes:
    """打包 what the items of a plan are not: comparisons, programs, and amounts by the columns they were traced over."""
    return pickle.dumps((plan.predicates, plan.literals, plan.programs, plan.items, plan.traced), 5)


def unpack(data: bytes, items: Sequence[BoundItem]) -> Plan:
    """拆包, for the very items of the key. Raises ValueError where they are not those of the plan."""
    predicates, literals, programs, conditions, traced = pickle.loads(data)
    if [len(of) for of in conditions] != [len(item.conditions) for item in items]:
        raise ValueError("the plan is of other items")
    out = Plan(list(items), predicates, literals, programs, conditions, traced=traced)
    for item in out.bound:
        out.head(item)
    return out
