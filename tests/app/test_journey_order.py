import importlib
import re

import pytest

from lesionary.app.pipeline import JOURNEY


@pytest.mark.parametrize("number", range(1, 10))
def test_a_stage_says_its_place_in_the_journey(number):
    name = JOURNEY[number - 1]
    try:
        package = importlib.import_module(f"lesionary.{name}")
    except ModuleNotFoundError:
        pytest.skip(f"{name} is not built yet")
    assert re.match(rf"Stage {number} of {len(JOURNEY)}: ", package.__doc__)
