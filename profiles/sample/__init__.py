"""样例数据: invented enterprises for demonstrations, tests and benches; no real firm is in it."""

from profiles.sample.facts import DATA_DAY, Sample, generate
from profiles.sample.observed import Observed, observe
from profiles.sample.write import write_profiles, write_sample, write_truth

__all__ = [
    "DATA_DAY",
    "Observed",
    "Sample",
    "generate",
    "observe",
    "write_profiles",
    "write_sample",
    "write_truth",
]
