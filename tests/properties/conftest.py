"""How the properties are tried: the same examples on every run, without a clock on them."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "longplay",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
settings.load_profile("longplay")
