"""分析: what analysts ask."""
