"""The program of the circulation: a graph, and the stages that control, breathe and gather."""

from __future__ import annotations

from functools import lru_cache

from isosoma.organs.circulation.aortic_root import root_lines
from isosoma.organs.circulation.beats import beat_lines, beat_rows
from isosoma.organs.circulation.coronary import conductance, strength, tone
from isosoma.organs.circulation.drugs import drug_inputs, drug_lines, drug_rates, drug_rows
from isosoma.organs.circulation.oxygen import alveolar, extracted, saturation
from isosoma.organs.circulation.parameters import OPTIONAL, PARAMETERS
from isosoma.organs.circulation.reflex import answer, carotid, sympathetic, vagal
from isosoma.physics.activation import ATRIAL, VENTRICULAR, hill_lines
from isosoma.physics.elementary import exp_of_eighths, wave
from isosoma.physics.network import Graph, bound, prepare, stage, states_of, without
from isosoma.physics.program import Call, Delay, Line, Program, Stage
from isosoma.physics.transport import carry

__all__ = ["CONTROL", "INPUTS", "SAMPLE", "program_of", "state_units"]

CONTROL = 20
"""Ticks between two runs of the reflexes and coronary tone (20 ms)."""
OXYGEN = 40
"""Ticks between two steps of oxygen with the blood (40 ms)."""
DRUG = 500
"""Ticks between two steps of the drugs."""
CLOCK = 2
"""Ticks between two values of the activations, which are straight in between."""
SAMPLE = 4
"""Ticks between two samples of a beat, and two steps of the filters before the reflexes."""

INPUTS: dict[str, tuple[str, float]] = {
    "bleeding_rate": ("m3/s", 0.0),
    "infusion_rate": ("m3/s", 0.0),
    "transfusion_rate": ("m3/s", 0.0),
    "transfused_haemoglobin": ("kg/m3", 200.0),
    "thoracic_mean": ("Pa", -533.288),
    "thoracic_swing": ("Pa", 266.644),
    "breathing_frequency": ("Hz", 14.0 / 60.0),
    "alveolar_ventilation": ("m3/s", 4.3e-3 / 60.0),
    "inspired_oxygen": ("1", 0.21),
    "pacing_rate": ("Hz", 0.0),
    "fibrillation": ("1", 0.0),
    "pericardial_fluid": ("m3", 0.0),
    "aortic_clamp": ("1", 0.0),
    "bypass_flow": ("m3/s", 0.0),
    "cardioplegia": ("1", 0.0),
    "lifted_heart": ("1", 0.0),
} | {p.name: (p.unit, p.rest) for p in drug_inputs()}
"""Name: unit and value at rest of what is held over an advance."""

_SLOW = {
    "phi": "1", "breath": "1", "scatter": "1", "pace": "1", "thorax": "Pa",
    "p_carotid": "Pa", "p_cardiopulmonary": "Pa", "p_work": "Pa", "p_perfusion": "Pa",
    "tone_heart": "1", "tone_resistance": "1", "tone_veins": "1", "tone_period": "1",
    "tone_vagal": "Hz", "coronary_tone_left": "1", "coronary_tone_right": "1",
    "heart_strength_left": "1", "heart_strength_right": "1",
    "p_alveolar": "Pa", "haemoglobin_mass": "kg", "received": "m3",
    "f_heart": "Hz", "f_vessels": "Hz", "f_vagal": "Hz", "pao_sat": "1",
    "e_v": "1", "e_a": "1", "e_v_rise": "1", "e_a_rise": "1",
}  # fmt: skip
_HELD = {
    "E_lv": "Pa/m3", "E_rv": "Pa/m3", "E_la": "Pa/m3", "E_ra": "Pa/m3",
    "G_upper": "m3.s-1.Pa-1", "G_lower": "m3.s-1.Pa-1", "G_coronary": "m3.s-1.Pa-1",
    "G_left": "m3.s-1.Pa-1", "G_right": "m3.s-1.Pa-1",
    "heart_strength": "1", "coronary_opening": "1",
    "Vu_vu": "m3", "Vu_vl": "m3", "per_T": "Hz", "rate_v": "1", "capacity": "1",
    "blood_in": "m3/s", "pump_in": "m3/s", "pump_out": "m3/s",
}  # fmt: skip
_EFFECTORS = {
    "heart": "late_heart", "period": "late_heart", "resistance": "late_vessels",
    "veins": "late_veins",
}  # fmt: skip
"""Effector: the sympathetic firing it answers."""
_PREPARED = {
    "C_vu": "m3/Pa", "C_vl": "m3/Pa", "collapse_vu": "m3", "collapse_vl": "m3",
    "R_vu": "Pa.s/m3", "R_vl": "Pa.s/m3", "Vu_ti": "m3",
    "R_aorta": "Pa.s/m3",
    "per_carotid_lag": "Hz", "per_work_lag": "Hz", "answer_rest": "1", "vagal_rest": "Hz",
    "per_softness": "m-3", "per_aortic_area": "m-2", "per_mitral_area": "m-2",
    **{f"share_{name}": "1" for name in (*_EFFECTORS, "vagal")},
    "open_left": "1", "open_right": "1", "loss_left": "kg.m-7", "loss_right": "kg.m-7",
}  # fmt: skip


_TERRITORIES = (("left", "left_coronary_share"), ("right", "(1.0 - left_coronary_share)"))


def _parts(graph: Graph) -> frozenset[str]:
    return frozenset(x.name for x in (*graph.nodes, *graph.edges))


def _blood(graph: Graph) -> list[str]:
    return [n.name for n in graph.nodes if n.name != "ti"]


def _central(graph: Graph) -> str:
    """Return the node whose pressure is the central venous one."""
    return "ra" if "ra" in _parts(graph) else "pa"


def state_units(graph: Graph) -> dict[str, str]:
    """Return every row that lasts between two advances, with its unit."""
    out = states_of(graph) | _SLOW
    out |= {f"S_{n}": "1" for n in _blood(graph)}
    out |= {f"q_{e.name}": "m3/s" for e in graph.edges}
    out |= {f"p_{n}": "Pa" for n in ("ao", "lv", "la", "ra", "rv", "pa", "sa", "central")
            if n == "central" or n in _parts(graph)}  # fmt: skip
    return out | _HELD | drug_rows() | beat_rows(_parts(graph))


@lru_cache(maxsize=32)
def _program(graph_key: tuple[object, ...], graph: Graph) -> Program:
    del graph_key
    lines, prepared = prepare(graph)
    states = list(state_units(graph))
    own = [n for n in PARAMETERS if n not in OPTIONAL]
    extra = [n for n in bound(graph) if n in OPTIONAL]
    rates = [str(line).split(" = ")[0] for line in drug_rates()]
    rows = dict.fromkeys([*states, *_PREPARED, *prepared, *rates, *INPUTS, *own, *extra])
    stages = (
        Stage("prepare", 0, (*_BEFORE, *drug_rates(), *lines)),
        Stage("drugs", DRUG, (f"dt = {DRUG}.0 * h", *drug_lines("dt"))),
        Stage("oxygen", OXYGEN, _carried(graph)),
        Stage("control", CONTROL, _control(graph)),
        Stage("clock", CLOCK, _clock()),
        stage(graph, _around(graph), _coupled(graph), _after()),
        Stage("beats", SAMPLE, _sampled(graph)),
    )
    sums = ("phi", "received", "haemoglobin_mass", *(f"V_{n.name}" for n in graph.nodes))
    return Program(graph.name, tuple(rows), stages, _DELAYS, sums)


def program_of(graph: Graph) -> Program:
    """Return the program of a circulation with this graph."""
    key = tuple((x.name, x.kind, *sorted(x.bind.items())) for x in (*graph.nodes, *graph.edges))
    ends = tuple((e.up, e.down) for e in graph.edges)
    return _program((key, ends), _Hashed(graph.name, graph.nodes, graph.edges, graph.inflow))


class _Hashed(Graph):
    """A graph that a cache can hold; `program_of` keys it by content."""

    def __hash__(self) -> int:
        return hash((self.name, tuple(e.name for e in self.edges)))


_BEFORE: tuple[Line, ...] = (
    "C_vu = venous_compliance * upper_share",
    "C_vl = venous_compliance * (1.0 - upper_share)",
    "collapse_vu = venous_collapse * upper_share",
    "collapse_vl = venous_collapse * (1.0 - upper_share)",
    "R_vu = venous_resistance / upper_share",
    "R_vl = venous_resistance / (1.0 - upper_share)",
    "Vu_ti = tissue_volume - tissue_pressure * tissue_compliance",
    "R_aorta = aortic_resistance * (1.0 + 1e6 * aortic_clamp)",
    "per_carotid_lag = 1.0 / baroreflex_lag",
    "per_work_lag = 1.0 / work_lag",
    "per_softness = 0.125 / pericardial_softness",
    *(f"per_{valve}_area = 1.0 / {valve}_area" for valve in ("aortic", "mitral")),
    # What an effector gains on its answer in one control.
    f"dt = {CONTROL}.0 * h",
    *(f"share_{name} = dt / (lag_{name} + dt)" for name in (*_EFFECTORS, "vagal")),
    "cs_rest = 0.5 * (firing_low + firing_high)",
    Call(sympathetic, ("cs_rest", "0.0 * cs_rest", "sympathetic_rest", "sympathetic_full",
                       "sympathetic_fall", "sympathetic_ceiling"), ("es_rest",)),
    Call(answer, ("es_rest", "sympathetic_least", "sympathetic_unit"), ("answer_rest",)),
    Call(vagal, ("cs_rest", "vagal_low", "vagal_high", "vagal_middle", "vagal_width"),
         ("vagal_rest",)),
    *root_lines(),
)  # fmt: skip

_DELAYS = (
    Delay("f_heart", "late_heart", "delay_sympathetic", "control"),
    Delay("f_vessels", "late_vessels", "delay_sympathetic", "control"),
    Delay("f_vessels", "late_veins", "delay_veins", "control"),
    Delay("f_vagal", "late_vagal", "delay_vagal", "control"),
)


def _clock() -> tuple[Line, ...]:
    """Move phases on, and find how the activations rise until they are looked at again."""
    return (
        f"dt = {CLOCK}.0 * h",
        "turn = dt * per_T * pace",
        "phi = phi + turn",
        # A beat of whole ticks waits for no further one because its rounded sum falls short of 1.
        "wrapped = phi > 1.0 - 0.05 * turn",
        "turned = 1.0 if wrapped else 0.0",
        "phi = phi - turned",
        "scatter = 3.98 * scatter * (1.0 - scatter) if wrapped else scatter",
        "pace = 1.0 / (1.0 + fibrillation * 0.8 * (scatter - 0.45)) if wrapped else pace",
        "x_a = phi + atrial_lead",
        "x_a = x_a - 1.0 if x_a >= 1.0 else x_a",
        *hill_lines(VENTRICULAR, "e_v_next", "phi * rate_v"),
        *hill_lines(ATRIAL, "e_a_next", f"x_a * {1.0 / ATRIAL.tau2!r}"),
        f"e_v_rise = (e_v_next - e_v) * {1.0 / CLOCK!r}",
        f"e_a_rise = (e_a_next - e_a) * {1.0 / CLOCK!r}",
        "breath = breath + dt * breathing_frequency",
        "breath = breath - 1.0 if breath >= 1.0 else breath",
        Call(wave, ("breath",), ("sway",)),
        "thorax = thoracic_mean + thoracic_swing * sway",
    )


def _around(graph: Graph) -> tuple[Line, ...]:
    """What a step of the network begins with: activations, and the pressures around."""
    hearts = [n for n in ("la", "lv", "ra", "rv") if n in _parts(graph)]
    left, right = (" + ".join(f"V_{n}" for n in hearts if n.startswith(s)) for s in "lr")
    return (
        "e_v = e_v + e_v_rise",
        "e_a = e_a + e_a_rise",
        "beyond = (pericardial_fluid - pericardial_v0) * per_softness",
        f"full = (({left}) + ({right or '0.0'})) * per_softness + beyond",
        Call(_pericardium, ("full", "pericardial_p0"), ("pericardium",)),
        "squeeze = coronary_squeeze * max(p_lv, 0.0)",
    )


def _pericardium(full: float, scale: float) -> float:
    """Return the pressure in the pericardium [Pa]; `full` in eighths of its exponent."""
    return scale * exp_of_eighths(full, 1.0)


def _coupled(graph: Graph) -> tuple[Line, ...]:
    """The septum: each ventricle feels a share of the other's pressure."""
    if "rv" not in _parts(graph):
        return ()
    return (
        "free_lv = p_lv",
        "p_lv = free_lv + septum_left * p_rv",
        "p_rv = p_rv + septum_right * free_lv",
    )


def _after() -> tuple[Line, ...]:
    """Count what came in, step by step as the volumes do."""
    return ("received = received + h * blood_in",)


def _sampled(graph: Graph) -> tuple[Line, ...]:
    """Filters before the reflexes, and what a beat shows."""
    return (
        f"dt = {SAMPLE}.0 * h",
        f"p_central = p_{_central(graph)}",
        # An arterial line and the carotids lie beyond a clamp.
        "p_line = p_sa if aortic_clamp > 0.5 else p_ao",
        "p_carotid = p_carotid + dt * per_carotid_lag * (p_line - p_carotid)",
        "felt = p_central - thorax - p_cardiopulmonary",
        "p_cardiopulmonary = p_cardiopulmonary + dt * per_work_lag * felt",
        "p_work = p_work + dt * per_work_lag * (max(p_lv, 0.0) - p_work)",
        "p_perfusion = p_perfusion + dt * per_work_lag * (q_coronary / G_coronary - p_perfusion)",
        *beat_lines(_parts(graph), "dt"),
    )


def _control(graph: Graph) -> tuple[Line, ...]:
    """Reflexes and coronary tone: every `CONTROL` ticks."""
    blood = " + ".join(f"V_{n}" for n in _blood(graph))
    return (
        f"dt = {CONTROL}.0 * h",
        f"per_blood = 1.0 / ({blood})",
        # What is not there cannot be bled.
        "bleeding = bleeding_rate * min(max(4.0 * V_vl / Vu_vl - 0.4, 0.0), 1.0)",
        # A pump draws from the great veins while there is something in them.
        f"pump_out = bypass_flow * min(max(2.0 * V_{_central(graph)} / ra_v0 - 0.4, 0.0), 1.0)",
        "pump_in = -pump_out",
        "blood_in = infusion_rate + transfusion_rate - bleeding",
        "bled = bleeding * haemoglobin_mass * per_blood",
        "transfused = transfusion_rate * transfused_haemoglobin",
        "haemoglobin_mass = haemoglobin_mass + dt * (transfused - bled)",
        "capacity = oxygen_capacity * haemoglobin_mass * per_blood",
        *_drives(),
        *_effectors(),
        *_heart_muscle(),
        *_set(graph),
    )


def _drives() -> tuple[Line, ...]:
    return (
        Call(carotid, ("p_carotid", "baroreflex_setpoint", "baroreflex_width", "firing_low",
                       "firing_high"), ("f_cs",)),
        Call(carotid, ("p_cardiopulmonary", "cardiopulmonary_pressure", "cardiopulmonary_width",
                       "0.0 * cardiopulmonary_rate", "cardiopulmonary_rate"), ("f_cp",)),
        "chemo = chemoreflex_gain * max(0.90 - S_ao, 0.0)",
        Call(sympathetic, ("f_cs", "chemo", "sympathetic_rest", "sympathetic_full",
                           "sympathetic_fall", "sympathetic_ceiling"), ("f_heart",)),
        "f_low = f_cs + cardiopulmonary_gain * (f_cp - 0.5 * cardiopulmonary_rate)",
        Call(sympathetic, ("f_low", "chemo", "sympathetic_rest", "sympathetic_full",
                           "sympathetic_fall", "sympathetic_ceiling"), ("f_vessels",)),
        Call(vagal, ("f_cs", "vagal_low", "vagal_high", "vagal_middle", "vagal_width"),
             ("f_vagal",)),
    )  # fmt: skip


def _effectors() -> tuple[Line, ...]:
    lines: list[Line] = ["drive = baroreflex_gain * drug_reflex", "to_vagal = late_vagal"]
    for name, late in _EFFECTORS.items():
        lines.append(Call(answer, (late, "sympathetic_least", "sympathetic_unit"), (f"to_{name}",)))
    lines += [
        f"tone_{name} = tone_{name} + share_{name} * (to_{name} - tone_{name})"
        for name in (*_EFFECTORS, "vagal")
    ]
    # A weak reflex answers less; the tone it answers from stays.
    lines += [
        f"on_{name} = answer_rest + drive * (tone_{name} - answer_rest)" for name in _EFFECTORS
    ]
    lines.append("on_vagal = vagal_rest + drive * (tone_vagal - vagal_rest)")
    return tuple(lines)


def _heart_muscle() -> tuple[Line, ...]:
    """Supply and demand of the left and of the right coronary's territory."""
    lines: list[Line] = [
        "need = myocardial_demand * p_work",
        "onset = ischaemia_onset / (1.0 - cardioplegia * cardioplegia_protection)",
        "oxygen = max(p_perfusion, 0.0) * capacity * S_ao * myocardial_extraction",
    ]
    for side, share in _TERRITORIES:
        needs, supplied = f"need_{side}", f"supplied_{side}"
        toned, strong = f"coronary_tone_{side}", f"heart_strength_{side}"
        lines += [
            f"{needs} = {share} * need",
            f"{supplied} = G_{side} * oxygen",
            Call(tone, (toned, supplied, needs, "coronary_reserve", "coronary_lag", "dt"),
                 (toned,)),
            Call(strength, (strong, supplied, needs, "onset", "ischaemia_recovery", "dt"),
                 (strong,)),
        ]  # fmt: skip
    apart = "heart_strength_left - heart_strength_right"
    lines.append(f"heart_strength = heart_strength_right + left_coronary_wall * ({apart})")
    return tuple(lines)


def _coronary() -> tuple[Line, ...]:
    """Both territories lie between the same two nodes: their conductances add up."""
    lines: list[Line] = ["pushed = max(p_perfusion, 0.0)"]
    for side, share in _TERRITORIES:
        takes = (share, f"coronary_tone_{side}", "coronary_resistance", f"loss_{side}", "pushed")
        lines.append(Call(conductance, takes, (f"G_{side}",)))
    lines += ["G_coronary = G_left + G_right", "coronary_opening = min(open_left, open_right)"]
    return tuple(lines)


def _carried(graph: Graph) -> tuple[Line, ...]:
    """Oxygen with the blood, from the lung, into the tissues."""
    blood = without(graph, "ti") if "ti" in _parts(graph) else graph
    use = (("vu", "upper_share"), ("vl", "(0.95 - upper_share)"))
    lines: list[Line] = [
        f"dt = {OXYGEN}.0 * h",
        *carry(blood, "S", "dt"),
        # What a pump returns has passed an oxygenator.
        "pumped = dt * pump_out / (V_sa + dt * pump_out)",
        "S_sa = S_sa + pumped * (1.0 - S_sa)",
        Call(saturation, ("p_alveolar", "half_saturation"), ("S_full",)),
        "S_lung = (1.0 - lung_shunt) * S_full + lung_shunt * S_pa",
        "S_pc = S_lung",
        "uptake = max(q_pulmonary_artery, 0.0) * capacity * (S_lung - S_pa)",
        "inspired = inspired_oxygen * air_pressure",
        Call(alveolar, ("p_alveolar", "inspired", "alveolar_ventilation", "uptake",
                        "gas_constant", "lung_volume", "dt"), ("p_alveolar",)),
    ]  # fmt: skip
    for node, share in use:
        takes = (f"S_{node}", f"{share} * oxygen_consumption", "capacity", f"V_{node}", "dt")
        lines.append(Call(extracted, takes, (f"S_{node}",)))
    lines.append("used = myocardial_demand * p_work")
    lines.append(Call(extracted, ("S_co", "used", "capacity", "V_co", "dt"), ("S_co",)))
    return tuple(lines)


def _set(graph: Graph) -> tuple[Line, ...]:
    """What the network reads until the next control."""
    del graph
    return (
        "beta = max(drug_beta, 0.0)",
        "beating = (1.0 - cardioplegia) * (1.0 - 0.5 * lifted_heart)",
        "force = heart_strength * beating",
        "E_lv = (lv_elastance + gain_lv * on_heart * beta) * drug_heart * force",
        "force_rv = heart_strength_right * beating",
        "E_rv = (rv_elastance + gain_rv * on_heart * beta) * drug_heart * force_rv",
        "E_la = la_active * (1.0 - fibrillation) * force",
        "E_ra = ra_active * (1.0 - fibrillation) * force",
        "R_s = (systemic_resistance + gain_resistance * on_resistance) * drug_resistance",
        "G_s = 1.0 / R_s",
        "G_upper = upper_share * G_s",
        "G_lower = (1.0 - upper_share) * G_s",
        "shift = gain_veins * on_veins - drug_veins",
        "Vu_vu = max(upper_share * (venous_unstressed - shift), 0.05 * venous_unstressed)",
        "Vu_vl = max((1.0 - upper_share) * (venous_unstressed - shift), 0.05 * venous_unstressed)",
        *_coronary(),
        "hurried = gain_period * on_period * beta",
        "own = period - hurried + gain_vagal * on_vagal + drug_period",
        "dying = min(max((heart_strength - 0.05) * 4.0, 0.15), 1.0)",
        "T = 1.0 / pacing_rate if pacing_rate > 0.0 else max(own, 0.3 * period) / dying",
        "per_T = 1.0 / T",
        "rate_v = T / (systole_base + systole_slope * T)",
    )
