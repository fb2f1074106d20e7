"""Whether predictions mean what they say: `assess` measures and judges them, `recalibrate` puts them right."""

from __future__ import annotations

from loom.science.calibration.assessing import Calibration, assess
from loom.science.calibration.recalibration import Recalibration, recalibrate

__all__ = ["Calibration", "Recalibration", "assess", "recalibrate"]
