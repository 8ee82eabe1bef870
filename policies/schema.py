"""规则文件的 JSON Schema: for editors (completion and checks while typing), made from the reader's own tables."""

from __future__ import annotations

from typing import Any

from engine import policy, rulefile
from engine.expression import FUNCTIONS
from engine.kinds import ALL_UNITS
from engine.tokens import COMPARATORS

TEXT: dict[str, Any] = {"type": ["string", "number", "boolean"]}
FLAG: dict[str, Any] = {"enum": ["是", "否"]}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT}
DAY: dict[str, Any] = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def one_of(values: tuple[str, ...]) -> dict[str, Any]:
    return {"enum": list(values)}


def strict(keys: tuple[str, ...], known: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object with exactly these keys."""
    out: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {k: known.get(k, TEXT) for k in keys},
    }
    if required:
        out["required"] = list(required)
    return out


def _exactly_one(keys: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{"required": [k]} for k in keys]


def item_schema() -> dict[str, Any]:
    """规则文件的模式: JSON Schema draft 2020-12 of items/<slug>.yaml."""
    tree = {"all": {"type": "array", "minItems": 1, "items": ref("condition")}, "not": ref("condition")}
    tree |= {"any": tree["all"], "when": ref("expression"), "ask": TEXT, "hidden": FLAG}
    money = {"anyOf": [ref("expression"), {"type": "array", "items": ref("expression")}]}
    form: dict[str, Any] = {
        "amount": ref("expression"),
        "upto": ref("expression"),
        "range": strict(
            ("low", "high"), {"low": ref("expression"), "high": ref("expression")}, ("low", "high")
        ),
        "bands": ref("bands"),
        "cases": {"type": "array", "minItems": 1, "items": ref("variant")},
        "words": TEXT,
        **{k: money for k in rulefile.LIMIT_KEYS},
    }
    guard = {**tree, "when": {"anyOf": [ref("expression"), ref("condition")]}}
    condition = strict(rulefile.NODE_KEYS, tree)
    condition["oneOf"] = _exactly_one(rulefile.NODE_KINDS)
    step = strict(rulefile.STEP_KEYS, {k: ref("expression") for k in ("upto", "below", "rate", "amount")})
    step["oneOf"] = _exactly_one(("rate", "amount"))
    rows = {"type": "array", "items": ref("variant")}
    adds = strict(
        rulefile.ADD_KEYS,
        {**guard, "rate": ref("expression"), "amount": ref("expression"), "beyond_cap": FLAG},
    )
    benefit = strict(
        rulefile.BENEFIT_KEYS,
        {**form, "exceptions": rows, "adds": {"type": "array", "items": adds},
         "instalments": {"type": "array", "items": {"type": "object"}}},
    )  # fmt: skip
    benefit["oneOf"] = _exactly_one(rulefile.FORM_KEYS)
    exclusive = strict(rulefile.EXCLUSIVE_KEYS, {"pick": one_of(policy.PICKS)}, ("group",))
    batch = strict(
        rulefile.BATCH_KEYS,
        {"year": {"type": ["integer", "string"]}, "opens": DAY, "closes": DAY, "rates": {"type": "object"}},
        ("opens", "closes"),
    )
    properties: dict[str, Any] = {
        "category": one_of(policy.CATEGORIES),
        "subject": one_of(policy.SUBJECTS),
        "delivery": one_of(policy.DELIVERIES),
        "status": one_of(policy.STATUSES),
        "batches": {"type": "object", "additionalProperties": batch},
        "conditions": ref("condition"),
        "without": TEXTS,
        "benefit": ref("benefit"),
        "exclusive": {"anyOf": [ref("exclusive"), {"type": "array", "items": ref("exclusive")}]},
        "budget": strict(("when_short", "cite", "quote", "note"), {"when_short": one_of(policy.SHORTAGES)}),
        "materials": TEXTS,
        **{k: {} for k in rulefile.GUIDE_KEYS},
    }
    bands = strict(
        rulefile.BAND_KEYS,
        {"by": ref("expression"), "of": ref("expression"), "from": ref("expression"), "kind": one_of(("全额", "超额")),
         "steps": {"type": "array", "minItems": 1, "items": step}},
        ("by", "steps"),
    )  # fmt: skip
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "政策事项",
        "description": "惠企直达的规则文件：一个事项一个文件。",
        **strict(rulefile.ITEM_KEYS, properties, ("item", "title", "conditions")),
        "$defs": {
            "expression": {
                "type": ["string", "number"],
                "description": f"比较：{' '.join(COMPARATORS)} in 含；函数：{' '.join(FUNCTIONS)}；单位：{' '.join(ALL_UNITS[:14])} …",
            },
            "condition": condition,
            "variant": strict(rulefile.VARIANT_KEYS, {**guard, **form}),
            "bands": bands,
            "benefit": benefit,
            "exclusive": exclusive,
        },
    }
