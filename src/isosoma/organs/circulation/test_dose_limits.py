"""No act takes what nobody can be given, and the table knows every drug."""

from __future__ import annotations

import pytest

from isosoma.core.errors import RangeError
from isosoma.core.units import ucum
from isosoma.organs.circulation.act_table import ACTS
from isosoma.organs.circulation.acts import read_act, unusual_of
from isosoma.organs.circulation.dose_limits import HEAVIEST, drug_limit
from isosoma.organs.circulation.drugs import DRUGS


@pytest.mark.parametrize("drug", list(DRUGS))
@pytest.mark.parametrize("unit", ["ug/kg", "ug/kg/min"])
def test_every_drug_has_a_limit_of_the_possible_that_is_held(drug, unit):
    limit = drug_limit(drug, unit)
    assert 0.0 < 2.0 * limit.usual <= limit.possible
    assert limit.source
    most = limit.possible * ucum(limit.unit).factor / ucum(unit).factor
    assert read_act(f"{drug} {most:.9g} {unit}")
    with pytest.raises(RangeError, match="more than anybody is given"):
        read_act(f"{drug} {1.01 * most:.9g} {unit}")
    whole, heavy = unit.replace("/kg", ""), HEAVIEST * most
    assert read_act(f"{drug} {heavy:.9g} {whole}")
    with pytest.raises(RangeError, match="Look at the unit and the decimal point"):
        read_act(f"{drug} {1.01 * heavy:.9g} {whole}")


@pytest.mark.parametrize(
    "said",
    ["norepinephrine 50 ug/kg/min", "induction 200 mg/kg", "bleed 9 L in 1 s",
     "transfuse 8 L in 1 min", "fluid 5 L in 30 s", "epinephrine 1 g"],
)  # fmt: skip
def test_the_impossible_is_refused(said):
    with pytest.raises(RangeError):
        read_act(said)


def test_the_usual_is_not_remarked_on():
    for said in (
        "norepinephrine 0.1 ug/kg/min", "phenylephrine 100 ug", "epinephrine 1 mg",
        "propofol 2 mg/kg", "esmolol 50 mg", "remifentanil 0.2 ug/kg/min", "bleed 1500 mL in 5 min",
        "fluid 500 mL in 10 min", "ventilate 12 /min tidal 500 mL", "peep 5 cm[H2O]",
    ):  # fmt: skip
        assert unusual_of(read_act(said), 70.0) == "", said


def test_an_act_that_has_no_row_has_no_limit():
    assert "clamp aorta" in ACTS
    assert unusual_of(read_act("clamp aorta for 30 min"), 70.0) == ""
