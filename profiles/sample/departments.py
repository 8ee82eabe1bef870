"""样例部门文件: which department tells what, in which file, shape, unit and encoding.

One Sheet is one file. `wide` has one row a firm; `long` one row a firm and year; `list` one row a firm
that has the mark (a register of holders); `rows` the detail rows of 项目, 产品, 人才.
"""

from __future__ import annotations

from dataclasses import dataclass

FULL = (2022, 2023, 2024, 2025)
RUNNING = (2022, 2023, 2024, 2025, 2026)


@dataclass(frozen=True)
class Field:
    """一列: the department's header for an indicator, the unit it writes amounts in, and how often it is blank."""

    header: str
    indicator: str
    unit: str = ""  # 万元 | 元 | % | "" (as it is)
    gap: float = 0.0


@dataclass(frozen=True)
class Sheet:
    """一份部门文件: source name, department, file, shape and columns; `coverage` of firms it knows at all."""

    source: str
    department: str
    file: str
    shape: str
    fields: tuple[Field, ...]
    coverage: float = 1.0
    years: tuple[int, ...] = ()
    encoding: str = "utf-8-sig"
    code_header: str = "统一社会信用代码"
    name_header: str = "企业名称"
    year_header: str = "所属年度"
    subject: str = ""
    only: str = (
        ""  # an indicator that must be true (or positive) for the firm to be in a `wide` or `long` file
    )


def _fields(text: str, gap: float = 0.0) -> tuple[Field, ...]:
    """`header=indicator:unit` separated by white space; the header alone is the indicator; `万元` marks amounts."""
    found = []
    for word in text.split():
        left, _, unit = word.partition(":")
        header, _, indicator = left.partition("=")
        label = f"{header}({unit})" if unit else header
        found.append(Field(label, indicator or header, unit, gap))
    return tuple(found)


SHEETS = (
    Sheet(
        "market_registration", "市场监管局", "市场监管_企业登记.csv", "wide",
        _fields("曾用名 市场主体类型=企业类型 法人资格 登记状态 成立日期 核准日期 营业期限至 注册地区划=登记地区划 "
                "住所=注册地址 经营范围 登记时所选行业=登记行业代码 注册资本:万元 外商投资企业")
        + _fields("注销日期") + _fields("实缴资本:万元 国有控股", 0.25) + _fields("迁入日期 外资比例:% 分支机构数 对外投资企业数", 0.05),
    ),
    Sheet(
        "market_abnormal", "市场监管局", "市场监管_经营异常名录.xlsx", "list",
        _fields("经营异常名录 列入日期=列入经营异常日期"), only="经营异常名录",
    ),
    Sheet(
        "tax_annual", "税务局", "税务_年度申报.csv", "long",
        _fields("营业收入:万元 纳税总额:万元 增值税额:万元 企业所得税额:万元 应纳税所得额:万元 利润总额:万元 净利润:万元 资产总额:万元 负债总额:万元", 0.01)
        + _fields("研发费用(加计扣除)=研发费用:万元 其中境内研发费用=境内研发费用:万元 委托境外研发费用:万元 加计扣除额=研发费用加计扣除额:万元", 0.04)
        + _fields("主营业务收入:万元 销售收入:万元 营业成本:万元 成本费用总额:万元 已减免税额:万元 净资产:万元 固定资产原值:万元 资产负债率:% "
                  "资产总额(季度平均)=资产总额季度平均:万元 从业人数(季度平均)=从业人数季度平均 研发费用负面行业", 0.06)
        + _fields("纳税信用等级", 0.03),
        coverage=0.93, years=FULL, code_header="纳税人识别号", name_header="纳税人名称",
    ),
    Sheet(
        "tax_status", "税务局", "税务_登记现状.csv", "wide",
        _fields("主管税务机关所在地=税务登记地区划 居民企业 征收方式 增值税一般纳税人=一般纳税人 从事限制禁止行业", 0.02)
        + _fields("重大税收违法 欠缴税款:万元"),
        coverage=1.0, code_header="纳税人识别号", name_header="纳税人名称",
    ),
    Sheet(
        "social_insurance", "人社局", "社保_参保缴费.csv", "long",
        _fields("年末参保人数=参保人数 月均参保人数", 0.01)
        + _fields("失业保险费:元 社会保险费:元 裁员率:% 新招用人数 新招用高校毕业生数 新招用重点群体人数 新增岗位数", 0.05),
        coverage=0.90, years=RUNNING, code_header="单位统一社会信用代码", name_header="单位名称", year_header="年度",
    ),
    Sheet(
        "social_status", "人社局", "社保_参保现状.csv", "wide",
        _fields("当前参保人数=在保人数 失业保险参保状态 失业保险足额缴费月数", 0.02) + _fields("社会保险欠费:元"),
        code_header="单位统一社会信用代码", name_header="单位名称",
    ),
    Sheet(
        "labour", "人社局", "人社_就业培训.csv", "long",
        _fields("见习人员数 见习期满留用率:% 职工培训人数 取得职业技能等级证书人数=技能等级证书人数 残疾人就业人数 劳动用工投诉次数", 0.05),
        coverage=0.55, years=FULL, name_header="单位名称", year_header="年度",
    ),
    Sheet(
        "high_tech", "科技创新局", "科技_高新技术企业名册.xlsx", "list",
        _fields("首次认定日期=高新技术企业首次认定日期 发证日期=高新技术企业认定日期 有效期至=高新技术企业有效期至"),
        only="高新技术企业有效期至",
    ),
    Sheet(
        "tech_sme", "科技创新局", "科技_科技型中小企业入库.csv", "long",
        _fields("是否入库=科技型中小企业 科技人员数 技术合同成交额:万元 技术吸纳合同额:万元 高新技术产品(服务)收入=高新技术产品收入:万元 基础研究投入:万元 国家科技项目立项数"),
        coverage=0.62, years=RUNNING, year_header="入库年度",
    ),
    Sheet(
        "science_marks", "科技创新局", "科技_研发机构与称号.csv", "list",
        _fields("研发机构级别 研发机构认定日期 瞪羚企业有效期至 技术先进型服务企业有效期至 科研失信 高新技术产品数 孵化器级别"),
        only="研发机构级别 瞪羚企业有效期至 技术先进型服务企业有效期至 科研失信 孵化器级别",
    ),
    Sheet(
        "gradient", "经济发展局", "工信_优质中小企业梯度培育.xlsx", "list",
        _fields("创新型中小企业有效期至 科技和创新型中小企业有效期至 专精特新中小企业有效期至 专精特新首次认定日期=专精特新中小企业首次认定日期 "
                "小巨人有效期至=专精特新小巨人有效期至 小巨人首次认定日期=专精特新小巨人首次认定日期 单项冠军有效期至 单项冠军首次认定日期 "
                "绿色工厂级别 首台套认定日期"),
        only="创新型中小企业有效期至 单项冠军有效期至 绿色工厂级别 首台套认定日期",
    ),
    Sheet(
        "industry_economy", "经济发展局", "经发_工业运行.csv", "long",
        _fields("用电量(千瓦时)=用电量 用水量(吨)=用水量 亩均税收:元 亩均评价等级 单位产值能耗下降率:%", 0.04),
        coverage=0.70, years=FULL, year_header="年度",
    ),
    Sheet(
        "intellectual_property", "知识产权局", "知识产权_拥有量.csv", "wide",
        _fields("有效发明专利数(件)=有效发明专利数 Ⅰ类知识产权数=一类知识产权数 Ⅱ类知识产权数=二类知识产权数 软件著作权数 注册商标数=商标注册数", 0.01),
        coverage=0.97, name_header="权利人名称",
    ),
    Sheet(
        "ip_marks", "知识产权局", "知识产权_贯标与优势企业.csv", "list",
        _fields("贯标认证日期=知识产权管理体系认证日期 知识产权优势企业"), only="知识产权管理体系认证日期 知识产权优势企业",
        name_header="权利人名称",
    ),
    Sheet(
        "ip_annual", "知识产权局", "知识产权_年度授权与融资.csv", "long",
        _fields("发明专利授权数 国际专利申请数(PCT)=国际专利申请数 质押融资额=知识产权质押融资额:万元", 0.02),
        coverage=0.90, years=FULL, name_header="权利人名称", year_header="年度",
    ),
    Sheet(
        "customs", "海关", "海关_进出口.csv", "long",
        _fields("进出口总额:万元 出口总额=出口额:万元 进口总额=进口额:万元", 0.0)
        + _fields("协定享惠进口额=享惠进口额:万元 可享未享进口额=可享惠未享惠进口额:万元 跨境电商进出口额:万元", 0.05),
        years=FULL, encoding="gb18030", only="海关备案日期", code_header="社会信用代码", name_header="经营单位名称", year_header="统计年份",
    ),
    Sheet(
        "customs_credit", "海关", "海关_企业信用等级.csv", "list",
        _fields("备案日期=海关备案日期 海关信用等级"), only="海关备案日期", encoding="gb18030",
        code_header="社会信用代码", name_header="经营单位名称",
    ),
    Sheet(
        "commerce", "商务局", "商务_外经贸.csv", "long",
        _fields("服务贸易额:万元 实际利用外资:万元 境外投资额:万元 出口信用保险投保额:万元 出口信用保险保费:万元 境外展会数", 0.05),
        coverage=0.45, years=FULL, year_header="年度",
    ),
    Sheet("headquarters", "商务局", "商务_总部企业名单.xlsx", "list", _fields("总部企业认定日期"), only="总部企业认定日期"),
    Sheet(
        "statistics", "统计局", "统计_一套表年报.csv", "long",
        _fields("是否四上=四上企业 从业人员期末人数=从业人数 研究开发人员=研发人员数", 0.01)
        + _fields("工业总产值:万元 工业增加值:万元 固定资产投资:万元 设备工器具购置=设备投资:万元 技术改造投资:万元 商品销售额:万元 网络零售额:万元 "
                  "服务业营业收入:万元 建筑业总产值:万元 综合能源消费量(吨标准煤)=综合能源消费量", 0.04),
        coverage=0.88, years=FULL, code_header="统一社会信用代码", name_header="单位详细名称", year_header="报告期",
    ),
    Sheet(
        "statistical_register", "统计局", "统计_基本单位名录.csv", "wide",
        _fields("行业代码(GB/T4754)=行业代码 行业门类 单位规模=企业规模 依法纳统", 0.02),
        coverage=0.96, name_header="单位详细名称",
    ),
    Sheet("first_above", "统计局", "统计_首次升规名单.csv", "list", _fields("首次升规日期"), only="首次升规日期", name_header="单位详细名称"),
    Sheet(
        "credit_lists", "信用中心", "信用_失信名单.jsonl", "list",
        _fields("严重违法失信名单 失信被执行人 信用修复申请中"), only="严重违法失信名单 失信被执行人 信用修复申请中",
        encoding="utf-8", name_header="主体名称",
    ),
    Sheet(
        "credit_rating", "信用中心", "信用_公共信用综合评价.csv", "wide",
        _fields("综合评价等级=公共信用综合评价"), coverage=0.92, name_header="主体名称",
    ),
    Sheet(
        "credit_penalties", "信用中心", "信用_行政处罚.csv", "long",
        _fields("行政处罚次数"), coverage=0.95, years=FULL, name_header="主体名称", year_header="年度",
    ),
    Sheet(
        "emergency", "应急管理局", "应急_事故与标准化.csv", "long",
        _fields("重大事故次数"), years=FULL, year_header="年度", only="重大事故次数",
    ),
    Sheet("safety_grade", "应急管理局", "应急_安全生产标准化.csv", "list", _fields("标准化等级=安全生产标准化等级"), only="安全生产标准化等级"),
    Sheet("environment", "生态环境局", "环保_违法名单.csv", "long", _fields("严重环境违法=环境违法"), years=FULL, year_header="年度", only="环境违法"),
    Sheet("pollution_permit", "生态环境局", "环保_排污许可.csv", "list", _fields("许可证有效期至=排污许可证有效期至"), only="排污许可证有效期至"),
    Sheet(
        "finance_loans", "金融局", "金融_信贷融资.parquet", "long",
        _fields("贷款发生额:元 贷款利息:元 融资担保费:元 融资租赁利息:元 融资租赁业务投放额:元 股权融资额:元 投资本区企业额:元 本区银行贷款 贷款逾期次数", 0.05),
        coverage=0.60, years=FULL, year_header="年度", encoding="",
    ),
    Sheet(
        "finance_status", "金融局", "金融_现状.csv", "wide",
        _fields("贷款余额:万元 贷款年利率:% 基金备案 基金实缴规模:万元 主要贷款用途=贷款用途", 0.05),
        coverage=0.60,
    ),
    Sheet(
        "capital_market", "金融局", "金融_上市挂牌.xlsx", "list",
        _fields("上市板块 上市日期 辅导备案日期=上市辅导备案日期 新三板挂牌日期"), only="上市板块 上市辅导备案日期 新三板挂牌日期",
    ),
    Sheet(
        "premises", "住建局", "住建_租赁与载体.csv", "wide",
        _fields("标准厂房租用面积(平方米)=租用标准厂房面积 月租金(元/平方米)=每平方米月租金 合同备案日期=租赁合同备案日期 "
                "合同起始日期=租赁合同起始日期 合同终止日期=租赁合同终止日期 自用办公面积 直管公房承租", 0.10),
        coverage=0.65, name_header="承租人",
    ),
    Sheet("rents", "住建局", "住建_租金.csv", "long", _fields("年租金=场地租金:元", 0.08), coverage=0.6, years=FULL, name_header="承租人", year_header="年度"),
    Sheet("land", "规划资源局", "规划_用地.csv", "wide", _fields("用地面积(亩)=用地面积", 0.03), coverage=0.75, name_header="用地单位"),
    Sheet(
        "transport", "交通运输局", "交通_航运物流.csv", "long",
        _fields("自管船舶数 外派海员人次 国际航线箱量(标箱)=国际航线箱量", 0.04), coverage=0.6, years=FULL, year_header="年度",
    ),
    Sheet("logistics_grade", "交通运输局", "交通_物流企业等级.csv", "list", _fields("物流企业等级"), only="物流企业等级"),
    Sheet(
        "transport_status", "交通运输局", "交通_船舶与仓储.csv", "wide",
        _fields("船舶管理业务 自有仓储面积(平方米)=自有仓储面积", 0.05), coverage=0.7,
    ),
    Sheet("standards", "市场监管局", "市场监管_国家标准.csv", "long", _fields("主导制定国家标准数=国家标准主导数"), years=FULL, year_header="年度", only="国家标准主导数"),
    Sheet("local_revenue", "财政局", "财政_地方贡献.csv", "long", _fields("本级财政贡献=地方贡献:万元", 0.02), coverage=0.95, years=FULL, year_header="年度"),
    Sheet("paid", "政策办", "政策办_已兑现.csv", "long", _fields("已兑现金额:元"), years=FULL, year_header="年度", only="已兑现金额"),
    Sheet(
        "self_reported", "企业", "企业_自行填报.csv", "wide",
        _fields("从事细分市场年限 细分市场占有率:% 自评综合得分 高新收入占比=高新收入占比自报:% 安全生产承诺 数字化诊断日期=数字化转型诊断日期 智能制造能力成熟度", 0.05),
        coverage=0.15,
    ),
    Sheet(
        "projects", "经济发展局", "经发_项目备案.csv", "rows",
        _fields("项目代码=项目编号 项目名称 项目类别=项目类型 行业代码=项目行业代码 建设地区划=项目所在地区划 备案日期=项目备案日期 开工日期=项目开工日期 "
                "竣工日期=项目竣工日期 总投资=项目投资额:万元 已完成投资=项目实际完成投资:万元 设备购置=设备购置额:万元 软件购置=软件购置额:万元 "
                "贷款利息=项目贷款利息:元 已获资助=项目已获资助:元 评审得分=专家评审得分"),
        subject="项目", name_header="项目单位",
    ),
    Sheet(
        "products", "市场监管局", "药监_产品批准.csv", "rows",
        _fields("产品编号=项目编号 产品名称 批准日期=产品批准日期 注册类别=产品注册类别 首台套级别=首台套产品认定级别 首台套认定日期=首台套产品认定日期 首次销售日期=产品首次销售日期 "
                "2023年销售额=产品销售额@2023:万元 2024年销售额=产品销售额@2024:万元 2025年销售额=产品销售额@2025:万元"),
        subject="产品",
    ),
    Sheet(
        "talents", "人社局", "人社_人才岗位.csv", "rows",
        _fields("人才编号=项目编号 人才层次 学历=学历层次 出生日期 毕业日期 职业技能等级 合同起始日期=劳动合同起始日期 合同终止日期=劳动合同终止日期 "
                "连续参保月数 引进日期=人才引进日期 本市无住房 2024年工资薪金=年度工资薪金@2024:元 2025年工资薪金=年度工资薪金@2025:元"),
        subject="人才", name_header="用人单位",
    ),
)  # fmt: skip
