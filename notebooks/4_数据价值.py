# ruff: noqa: B018
# %% [markdown]
# # 数据价值：该向哪个部门要哪项数据
#
# “待核实”多半是缺数据。一项数据补齐，能定下多少对、压着多少钱？“单缺”指只差这一项，补上就有结论；金额是可能的最高数，不是预计数。

# %%
from analysis import charts, missing_value, open_night
from analysis.missing import by_department

night = open_night()
values = missing_value(night)
values.head(15)

# %%
top = values.head(10)
charts.bars(top["指标"], top["单缺金额"] / 1e4, "只差这一项就能定下的最高金额", "万元")

# %%
departments = by_department(values)
departments

# %%
assert len(values) > 0 and (values["单缺金额"] <= values["最高金额"]).all()
assert departments["单缺"].sum() == values["单缺"].sum()
