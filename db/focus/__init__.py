"""Focus sessions, and the statistics, standings and leaderboards that count them (focusguard)."""
