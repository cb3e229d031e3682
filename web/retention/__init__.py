"""Pages of what has a clock: schedules, events, holds, secrecy, appraisals, destructions, transfers, audits."""
