"""样例清单: projects, products and posts of firms (subject 项目, 产品, 人才); no names of persons."""

from __future__ import annotations

import numpy as np
import pandas as pd

from profiles.sample.economy import YEARS

PROJECT_TYPES = ("技术改造", "新建", "扩建", "研发", "平台")
PROJECT_WORDS = {
    "技术改造": ("智能化产线改造", "节能降耗改造", "数字车间改造", "检测能力提升改造"),
    "新建": ("生产基地建设", "智能仓储建设", "中试基地建设"),
    "扩建": ("产能扩建", "二期扩建", "厂房扩建"),
    "研发": ("关键技术攻关", "新产品研制", "工艺验证"),
    "平台": ("公共服务平台", "工业互联网平台", "检验检测平台"),
}
TALENT_GRADES = ("A类", "B类", "C类", "D类", "E类")
DEGREES = ("专科", "本科", "硕士研究生", "博士研究生")
SKILLS = ("初级工", "中级工", "高级工", "技师", "高级技师")
NAT = np.datetime64("NaT", "D")


def all_lists(
    rng: np.random.Generator, truth: pd.DataFrame, kind: np.ndarray, today: np.datetime64
) -> dict[str, pd.DataFrame]:
    """全部清单: one frame a list, its first column the firm's code."""
    return {
        "项目": projects(rng, truth, today),
        "产品": products(rng, truth, kind, today),
        "人才": talents(rng, truth, today),
    }


def _owners(rng: np.random.Generator, rate: np.ndarray) -> np.ndarray:
    """Row numbers of the firms, each as often as a Poisson draw of its rate says."""
    return np.repeat(np.arange(len(rate)), rng.poisson(np.clip(rate, 0, 12)))


def _numbers(prefix: str, count: int) -> np.ndarray:
    return np.array([f"{prefix}{row + 1:06d}" for row in range(count)], dtype=object)


def projects(rng: np.random.Generator, truth: pd.DataFrame, today: np.datetime64) -> pd.DataFrame:
    """项目备案: investment and R&D projects; yuan."""
    invest = truth[[f"固定资产投资@{y}" for y in YEARS[:4]]].max(axis=1).fillna(0).to_numpy()
    spend = truth["研发费用@2025"].fillna(0).to_numpy()
    row = _owners(rng, 0.02 + 0.35 * (invest > 1e6) + 0.15 * (spend > 2e6))
    count = len(row)
    sort = np.where(
        invest[row] > 1e6,
        rng.choice(3, count, p=(0.5, 0.3, 0.2)),
        rng.choice(5, count, p=(0.2, 0.1, 0.1, 0.5, 0.1)),
    )
    sorts = np.array(PROJECT_TYPES, dtype=object)[sort]
    total = np.round(
        np.maximum(
            3e5,
            np.where(
                sort < 3,
                invest[row] * rng.uniform(0.5, 1.6, count),
                np.maximum(spend[row], 5e5) * rng.uniform(0.3, 1.5, count),
            ),
        ),
        -3,
    )
    filed = np.datetime64("2023-01-05") + rng.integers(
        0, (today - np.datetime64("2023-01-10")).astype(int), count
    )
    filed = np.busday_offset(filed.astype("datetime64[D]"), 0, roll="backward")
    begun = filed + rng.integers(10, 150, count).astype("timedelta64[D]")
    done = begun + rng.integers(120, 800, count).astype("timedelta64[D]")
    progress = np.clip((today - begun).astype(int) / np.maximum(1, (done - begun).astype(int)), 0, 1)
    spent = np.round(total * progress * rng.uniform(0.8, 1.1, count), 2)
    equipment = np.round(spent * rng.uniform(0.25, 0.85, count), 2)
    reviewed = rng.random(count) < 0.3
    words = [
        PROJECT_WORDS[s][i % len(PROJECT_WORDS[s])]
        for s, i in zip(sorts, rng.integers(12, size=count), strict=True)
    ]
    return pd.DataFrame(
        {
            "统一社会信用代码": truth["统一社会信用代码"].to_numpy()[row],
            "项目编号": _numbers("XM", count),
            "项目名称": np.array([f"{w}项目" for w in words], dtype=object),
            "项目类型": sorts,
            "项目行业代码": truth["行业代码"].to_numpy()[row],
            "项目所在地区划": truth["登记地区划"].to_numpy()[row],
            "项目备案日期": filed,
            "项目开工日期": np.where(begun <= today, begun, NAT),
            "项目竣工日期": np.where(done <= today, done, NAT),
            "项目投资额": total,
            "项目实际完成投资": spent,
            "设备购置额": equipment,
            "软件购置额": np.round(spent * rng.uniform(0, 0.12, count), 2),
            "项目贷款利息": np.where(rng.random(count) < 0.4, np.round(spent * 0.018, 2), 0.0),
            "项目已获资助": np.where(rng.random(count) < 0.1, np.round(spent * 0.05, -3), 0.0),
            "专家评审得分": np.where(reviewed, np.round(rng.normal(74, 9, count)), np.nan),
        }
    )


def products(
    rng: np.random.Generator, truth: pd.DataFrame, kind: np.ndarray, today: np.datetime64
) -> pd.DataFrame:
    """产品: new medicines, devices and first sets; sales by year in yuan."""
    medical, gear = kind == "生物医药", np.isin(kind, ("装备", "航空航天", "电子信息", "仪器仪表", "新能源"))
    row = _owners(rng, np.where(medical, 0.8, np.where(gear, 0.25, 0.0)))
    count = len(row)
    of_medical = medical[row]
    groups = ("一类新药", "二类新药", "仿制药一致性评价", "三类医疗器械", "二类医疗器械")
    group = np.array(groups, dtype=object)[rng.choice(5, count, p=(0.05, 0.1, 0.2, 0.25, 0.4))]
    group[~of_medical] = None
    first = np.full(count, None, dtype=object)
    pick = rng.random(count)
    first[~of_medical & (pick < 0.15)] = "市级"
    first[~of_medical & (pick < 0.03)] = "国家级"
    approved = np.datetime64("2022-03-01") + rng.integers(
        0, (today - np.datetime64("2022-03-05")).astype(int), count
    )
    approved = np.busday_offset(approved.astype("datetime64[D]"), 0, roll="backward")
    frame = {
        "统一社会信用代码": truth["统一社会信用代码"].to_numpy()[row],
        "项目编号": _numbers("CP", count),
        "产品名称": np.array(
            [
                f"{'制剂' if m else '装置'}{n:05d}型"
                for m, n in zip(of_medical, rng.integers(99999, size=count), strict=True)
            ],
            dtype=object,
        ),
        "产品批准日期": np.where(of_medical, approved, NAT),
        "产品注册类别": group,
        "首台套产品认定级别": first,
        "首台套产品认定日期": np.where(first != None, approved, NAT),  # noqa: E711 - elementwise
        "产品首次销售日期": np.where(rng.random(count) < 0.7, np.minimum(approved + 60, today), NAT),
    }
    for year in (2023, 2024, 2025):
        sales = truth[f"营业收入@{year}"].fillna(0).to_numpy()[row] * rng.beta(1.2, 6, count)
        frame[f"产品销售额@{year}"] = np.where(sales > 0, np.round(sales, 2), np.nan)
    return pd.DataFrame(frame)


def talents(rng: np.random.Generator, truth: pd.DataFrame, today: np.datetime64) -> pd.DataFrame:
    """人才岗位: one row a recognised post; grade, degree, contract and pay, no name and no identity number."""
    spend = truth["研发费用@2025"].fillna(0).to_numpy()
    row = _owners(rng, np.where(spend > 0, 0.2 + spend / 8e6, 0.03))
    count = len(row)
    rank = rng.choice(5, count, p=(0.01, 0.04, 0.15, 0.35, 0.45))
    degree = np.clip(3 - rank + rng.integers(0, 2, count), 0, 3)
    born = today - (rng.normal(37, 6, count).clip(23, 59) * 365.25).astype("timedelta64[D]")
    graduated = born + np.round((21.5 + 2.6 * degree) * 365.25).astype("timedelta64[D]")
    graduated = (graduated.astype("datetime64[Y]").astype("datetime64[M]") + 6).astype("datetime64[D]")
    start = np.maximum(graduated, np.datetime64("2018-01-01")) + rng.integers(0, 1900, count).astype(
        "timedelta64[D]"
    )
    start = np.minimum(start, today - 30)
    months = np.maximum(0, (today - start).astype(int) // 30.44 - rng.integers(0, 2, count)).astype(float)
    skill = np.array(SKILLS, dtype=object)[rng.integers(5, size=count)]
    skill[(degree >= 1) | (rng.random(count) < 0.4)] = None
    frame = {
        "统一社会信用代码": truth["统一社会信用代码"].to_numpy()[row],
        "项目编号": _numbers("RC", count),
        "人才层次": np.array(TALENT_GRADES, dtype=object)[rank],
        "学历层次": np.array(DEGREES, dtype=object)[degree],
        "出生日期": born,
        "毕业日期": graduated,
        "职业技能等级": skill,
        "劳动合同起始日期": start,
        "劳动合同终止日期": start + (365 * rng.integers(2, 6, count)).astype("timedelta64[D]"),
        "连续参保月数": months,
        "人才引进日期": np.where(rng.random(count) < 0.6, start, NAT),
        "本市无住房": pd.Series(rng.random(count) < 0.45, dtype="boolean"),
    }
    pay = np.exp(rng.normal(12.1, 0.3, count) + 0.28 * (4 - rank))
    for year in (2024, 2025):
        worked = start < np.datetime64(f"{year}-07-01")
        frame[f"年度工资薪金@{year}"] = np.where(
            worked, np.round(pay * (0.95 if year == 2024 else 1.0), 2), np.nan
        )
    return pd.DataFrame(frame)
