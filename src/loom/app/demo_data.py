"""The table of the demo: customers of a subscription, one column of which was written after they had left."""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path

ROWS = 5_000
TARGET = "churned"
LEAK = "final_bill"
COLUMNS = (
    *("customer", "plan", "region", "age", "since", "months", "monthly", "hours_used", "calls"),
    *("late_payments", LEAK, TARGET),
)
_SEED = 11
_PRICES = {"basic": 9.0, "plus": 19.0, "family": 29.0}
_REGIONS = ("north", "south", "east", "west")


def write_customers(path: Path) -> None:
    """A table as companies have them: padded codes, dates, gaps, levels, and a target to predict."""
    chance = random.Random(_SEED)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(_customer(number, chance) for number in range(ROWS))


def _customer(number: int, chance: random.Random) -> list[str | int | float]:
    plan, region, age = chance.choice(list(_PRICES)), chance.choice(_REGIONS), chance.randint(18, 80)
    months, calls = chance.randint(1, 72), min(9, int(chance.expovariate(0.4)))
    late, used = min(6, int(chance.expovariate(0.9))), round(chance.lognormvariate(3, 0.7), 1)
    monthly = round(_PRICES[plan] * chance.uniform(0.9, 1.4), 2)
    since = f"{2025 - months // 12}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
    # the new leave, and those whose second year ends; so does who pays much for little, or has to call about it
    pull = -2.4 + 2.4 * (months <= 5) + 2.0 * (22 <= months <= 27) + 0.6 * late
    pull += (-0.25 if plan == "basic" else 0.8) * (calls - 2)
    pull += 1.6 * (used < 0.6 * monthly) - 1.0 * (used > 2.5 * monthly)
    gone = chance.random() < 1 / (1 + math.exp(-1.3 * pull))
    # nobody gets a final bill before having left: whoever has one is known to be gone
    bill = f"{chance.uniform(5, 60):.2f}" if gone and chance.random() < 0.98 else ""
    shown = "" if chance.random() < 0.03 else f"{monthly:.2f}"
    told = "yes" if gone else "no"
    return [f"{number:05d}", plan, region, age, since, months, shown, used, calls, late, bill, told]
