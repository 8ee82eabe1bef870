# ruff: noqa: B018
# %% [markdown]
# # 调规则：改一个门槛，看谁进来
#
# `with_rule` 在同一夜的数据上试算改后的规则；政策库本身不动。写错了会当场指出哪里错、可以改哪些条件。

# %%
from analysis import charts, compare, open_night, show, sweep, sweep_two

night = open_night()
ITEM = "bs-2025-06/rd-intensity"
lower = night.with_rule(ITEM, conditions={"rd_scale": "研发费用[Y] >= 100万元"})
impact = compare(night, lower, ITEM)
impact

# %% [markdown]
# 一个一个门槛试过去。其他条件只算一遍，所以很快。阴影是从“已符合”到“连同待核实”的范围：数据不全，答案就是一段，不是一个点。
# 扫门槛的金额是就高与预算核减之前的；定稿前用 `with_rule` 再算一遍。

# %%
found = sweep(night, ITEM, "rd_scale", ["50万元", "100万元", "200万元", "300万元", "500万元", "800万元"])
found

# %% [markdown]
# 花到现在的金额为止，门槛可以放到哪里？

# %%
now = found.table.set_index("门槛").loc["300万元", "应付高"]
choice = found.spends(now)
show(choice)

# %% [markdown]
# 放宽门槛，照顾的是谁？按规模和区域分开看，各有几家、多少钱。

# %%
by_group = sweep(night, ITEM, "rd_scale", ["100万元", "300万元"], by=["企业规模", "登记地区划"])
show(by_group.groups, 20)

# %% [markdown]
# 两个门槛一起动，画成热图（颜色是最高应付）。

# %%
grid = sweep_two(
    night, ITEM, ("rd_scale", ["100万元", "300万元", "500万元"]), ("intensity", ["3%", "5%", "8%"])
)
charts.heat_map(grid)

# %%
assert len(impact.gained) > 0 and len(impact.lost) == 0
assert found.table["符合"].is_monotonic_decreasing
assert choice["应付高"] == now
assert by_group.spread("企业规模").sum(axis=1).tolist() == by_group.table["符合"].tolist()
