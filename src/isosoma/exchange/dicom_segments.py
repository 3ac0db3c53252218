"""What a label means to a stranger: its code of a standard table (SNOMED CT, as PS3.16 prints it).

Codes and meanings are those of context groups 4, 7151 and 12305.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SEGMENTS", "Segment"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A structure or a change of one.

    Attributes
    ----------
    code, meaning : SNOMED CT.
    altered : a morphologically abnormal structure rather than a part of the body.
    """

    code: str
    meaning: str
    altered: bool = False


SEGMENTS = {
    "left_ventricle": Segment("87878005", "Left ventricle"),
    "left_ventricular_myocardium": Segment("49848007", "Left Ventricle Myocardium"),
    "right_ventricle": Segment("53085002", "Right ventricle"),
    "left_atrium": Segment("82471001", "Left atrium"),
    "right_atrium": Segment("73829009", "Right atrium"),
    "aorta": Segment("15825003", "Aorta"),
    "pulmonary_artery": Segment("81040000", "Pulmonary artery"),
    "vessel_lumen": Segment("91747007", "Lumen of blood vessel"),
    "brain": Segment("12738006", "Brain"),
    "brain_ventricle": Segment("35764002", "Brain ventricle"),
    "necrosis": Segment("6574001", "Necrosis", altered=True),
    "oedema": Segment("79654002", "Edema", altered=True),
    "neoplasm": Segment("108369006", "Neoplasm", altered=True),
}
"""The names that label maps use."""
