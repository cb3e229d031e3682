"""The words that the finders know: kinds of papers, and what bodies are called."""

import re


def any_of(words: str) -> str:
    """Return a pattern for any of some words, which blanks divide."""
    return "|".join(words.split())


KINDS = any_of("""
    通知 通告 公告 公示 通报 通報 决定 決定 决议 決議 命令 请示 請示 批复 批覆 复函 覆函 函 意见 意見 方案 计划
    計劃 計畫 规划 規劃 办法 辦法 规定 規定 条例 條例 细则 細則 规则 規則 规程 規程 制度 章程 规范 規範 标准
    標準 导则 公约 公約 规约 規約 法 纪要 紀要 会议记录 會議記錄 會議紀錄 报告 報告 报告书 報告書 总结 總結
    说明 說明 情况 议案 提案 解释 承诺书 承諾書 委托书 委託書 授权书 授權書 通知书 通知書 意见书 意見書 建议书
    建議書 申请书 申請書 证明 證明 证明书 判决书 裁定书 起诉状 任务书 责任书 保证书 招标文件 投标文件 手册 指南
    倡议书 须知 須知
""")
"""What a paper's title ends in, but for contracts and tables."""

TABLES = any_of("""
    登记表 登記表 申请表 申請表 审批表 審批表 统计表 統計表 明细表 明細表 一览表 一覽表 记录表 記錄表 检查表
    檢查表 清单 清單 名单 名單 名册 名冊 台账 台帳 验收单 驗收單 通知单 通知單 调查表 评分表 考核表 汇总表
    計算表 处理单 處理單 报修单 報修單 维修单 維修單 派工单 派工單 交接单 交接單
    结算单 結算單 申请单 申請單 [\u3400-\u9fff]表
""")
CONTRACTS = any_of("""
    合同 合同书 协议 协议书 協議 協議書 合約 合約書 契約 契約書 約定書 意向书 備忘錄 备忘录
""")
_BODIES = any_of("""
    公司 集团 集團 局 部 处 處 委员会 委員會 业委会 業委會 中心 办公室 辦公室 政府 法院 检察院 醫院 医院 学院
    學院 研究院 国务院 厅 廳 所 科 社 协会 協會 学会 联合会 大会 大會 大学 大學 学校 學校 中学 小学 工作组
    领导小组 项目组 村 街道 居委会 银行 銀行 支行 分行 站 总队 大队 支队 中队 事务所 事務所 物业 物業
    管理处 管理處 服务处 分局 基金 商会 工会 团委 党委 支部 总支
""")
ENDS_BODY = re.compile(rf"(?:{_BODIES})$")
"""Ends in what bodies are called."""

BODIES = re.compile(rf"[\u3400-\u9fff0-9A-Za-z（）()·]{{2,38}}(?:{_BODIES})")
"""The name of a body, whole."""
