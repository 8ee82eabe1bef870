"""公开的名称: what the public may read of whom: sole traders' names often are a person's."""

from __future__ import annotations

from store.database import Engine
from store.review import setting

SOLE = "92"  # GB 32100-2015: registered by market regulation (9), 个体工商户 (2)
NOTE = "个体工商户的名称里常有经营者的姓名，公开时只写代码尾号；本人凭代码即可认出，有异议照常提出。"


def masks(engine: Engine) -> bool:
    """公开时隐不隐去个体工商户的名称: the office's setting, yes unless it says no."""
    return bool((setting(engine, "public", {}) or {}).get("mask_sole_traders", True))


def sole(code: str) -> bool:
    """是不是个体工商户, by its code."""
    return code.startswith(SOLE)


def public_name(code: str, name: str, mask: bool) -> str:
    """公开的名称: as registered; a sole trader under `mask` by the tail of its code."""
    return f"个体工商户（代码尾号 {code[-4:]}）" if mask and sole(code) else name


def public_code(code: str, mask: bool) -> str:
    """公开的代码: a sole trader's without its middle, under `mask`."""
    return f"{code[:2]}…{code[-4:]}" if mask and sole(code) else code


def shows_credit(engine: Engine) -> bool:
    """企业的档案里列不列信用数据: the office's setting, yes unless it says no."""
    return bool((setting(engine, "public", {}) or {}).get("own_credit", True))
