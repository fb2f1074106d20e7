"""The table of the demo: customers of a subscription, one column of which was written after they had left."""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path

ROWS = 5_000
TARGET = "churned"
LEAK = "final_bill"
COLUMNS = ("customer", "plan", "region", "since", "months", "monthly", "calls", "late_payments", LEAK, TARGET)
_SEED = 7
_PRICES = {"basic": 9.0, "plus": 19.0, "family": 29.0}
_REGIONS = ("north", "south", "east", "west")


def write_customers(path: Path) -> None:
    """A table as companies have them: padded codes, dates, gaps, levels, and a target to predict."""
    chance = random.Random(_SEED)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(_customer(number, chance) for number in range(ROWS))


def _customer(number: int, chance: random.Random) -> list[str | int]:
    plan, region = chance.choice(list(_PRICES)), chance.choice(_REGIONS)
    months, calls = chance.randint(1, 72), min(9, int(chance.expovariate(0.4)))
    late = min(6, int(chance.expovariate(0.9)))
    monthly = round(_PRICES[plan] * chance.uniform(0.9, 1.4), 2)
    since = f"{2025 - months // 12}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
    # the new and those whose second year ends leave; calls drive away who pays much, and keep who pays little
    pull = -1.6 + 1.5 * (months <= 6) + 1.1 * (20 <= months <= 28) - 0.02 * months
    pull += (0.55 if monthly > 17 else -0.2) * (calls - 2) + 0.5 * late
    gone = chance.random() < 1 / (1 + math.exp(-1.3 * pull))
    # nobody gets a final bill before having left: whoever has one is known to be gone
    bill = f"{chance.uniform(5, 60):.2f}" if gone and chance.random() < 0.98 else ""
    shown = "" if chance.random() < 0.03 else f"{monthly:.2f}"
    told = "yes" if gone else "no"
    return [f"{number:05d}", plan, region, since, months, shown, calls, late, bill, told]
