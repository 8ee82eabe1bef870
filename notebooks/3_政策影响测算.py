# ruff: noqa: B018
# %% [markdown]
# # 政策影响测算：提高门槛，谁受损
#
# 提高门槛之前要答三个问题：谁退出，少多少钱，已经告知或在办的有没有受损。

# %%
from analysis import compare, open_night

night = open_night()
ITEM = "bs-2025-06/rd-intensity"
higher = night.with_rule(ITEM, conditions={"intensity": "研发费用[Y] / 营业收入[Y] >= 10%"})
impact = compare(night, higher, ITEM)
impact

# %% [markdown]
# 对大、中、小、微企业，各行业、各区域是否公平。

# %%
impact.groups

# %% [markdown]
# 已经告知、确认或在办，改后会少拿的企业。有一家也要先想好怎么交代。

# %%
impact.promised

# %%
assert len(impact.gained) == 0
assert impact.after["fits"] == impact.before["fits"] - len(impact.lost)
assert set(impact.promised["统一社会信用代码"]) <= set(impact.firms["统一社会信用代码"])
