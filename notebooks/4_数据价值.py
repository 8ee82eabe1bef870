# %% [markdown]
# # 数据价值：该向哪个部门要哪项数据
#
# “待核实”多半是缺数据。一项数据补齐，能定下多少对、压着多少钱？“单缺”指只差这一项，补上就有结论。
#
# 排先后看“期望金额”：补齐后预计真要付的钱，是概率乘金额中值再乘“齐全率”。首台套、智能制造等级这类，多数企业本来就没有，没报不等于漏报，
# 所以不会因为“缺的家数多”排到前面；它们该请部门给一份全量名单，没列的就都定了（见“说明”）。“最高金额”是可能的最高数，不是预计数。

# %%
from analysis import charts, missing_value, open_night, show
from analysis.missing import by_department

night = open_night()
values = missing_value(night)
show(values.drop(columns="说明"), 15)

# %%
top = values.head(10)
charts.bars(top["指标"], top["单缺金额"] / 1e4, "只差这一项就能定下的最高金额", "万元")

# %% [markdown]
# 多数企业本来就没有的：

# %%
rare = values[values["说明"] != ""]
show(rare[["指标", "部门", "对", "齐全率", "期望金额", "最高金额", "说明"]])

# %%
departments = by_department(values)
show(departments)

# %%
assert values["齐全率"].iloc[0] > 0.5 > rare["齐全率"].max()
assert len(values) > 0 and (values["单缺金额"] <= values["最高金额"]).all()
assert departments["单缺"].sum() == values["单缺"].sum()
