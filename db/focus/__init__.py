"""Focus sessions and what is counted of them: statistics, standings, leaderboards (focusguard)."""
