"""HL7 v2 reports: codes, units, zones, identity, acknowledgement, and hostile messages."""

from __future__ import annotations

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.errors import (
    FormatError,
    IdentityError,
    InputError,
    LimitError,
    RangeError,
    TimeError,
    UnitError,
)
from isosoma.core.observation import Observation
from isosoma.exchange.hl7v2 import (
    _rows,  # pyright: ignore[reportPrivateUsage]
    acknowledge,
    read_hl7,
    report_hl7,
)
from isosoma.exchange.mllp import frame

NOW = 1_771_830_000_000_000_000  # 2026-02-23T07:00:00Z
MSH = "MSH|^~\\&|MON|ICU|ISO|LAB|20260223075000+0100||ORU^R01^ORU_R01|77|P|2.6"
PID = "PID|1||p1^^^HOSP^MR~x9^^^NAT||Doe^J"
OBR = "OBR|1|||vitals|||20260223075000"
HR = "OBX|1|NM|8867-4^Heart rate^LN||72|/min|||||F|||20260223074510.25"


def message(*segments: str, head: str = MSH, end: str = "\r") -> bytes:
    return end.join((head, PID, OBR, *segments, "")).encode()


def read(data: bytes, subject: str | None = "p1", zone: int | None = None) -> list[Observation]:
    return read_hl7(data, subject=subject, received=NOW, zone=zone)


def test_a_heart_rate() -> None:
    (found,) = read(message(HR))
    assert (found.variable, found.value, found.subject) == ("heart_rate", 72 / 60, "p1")
    assert found.at == NOW - 15 * 60 * 10**9 + 10_250_000_000
    assert (found.zone, found.given, found.device) == (60, "72 /min", "MON")
    assert found.origin == "hl7:77/OBX-1"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_ends_of_segments_frames_and_several_messages(end: str) -> None:
    one = message(HR, end=end)
    assert len(read(one)) == 1
    assert len(read(one + one)) == 2
    assert len(read(frame(one) + frame(one))) == 2


def test_mdc_codes_and_units_and_a_device() -> None:
    text = "OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.2.1|97|262688^MDC_DIM_PERCENT^MDC|||||P"
    (found,) = read(message(text + "|||||||OX7^MAKER"))
    assert (found.variable, found.value) == ("oxygen_saturation", 0.97)
    assert (found.device, found.channel) == ("OX7", "1.2.1")
    assert found.at == NOW - 10 * 60 * 10**9, "the time of OBR-7"
    assert found.origin == "hl7:77/OBX-2?preliminary"


def test_the_second_coding_counts_where_the_first_is_local() -> None:
    (found,) = read(message("OBX|1|NM|HR^rate^L^8867-4^Heart rate^LN||60|{beats}/min|||||C"))
    assert found.variable == "heart_rate"
    assert found.origin.endswith("?corrected")


def test_units_are_converted_and_limits_told() -> None:
    rows = [
        "OBX|1|NM|8480-6^^LN||16|kPa|||||F",
        "OBX|2|NM|2339-0^^LN||40|mg/dL||<|||F",
        "OBX|3|NM|2339-0^^LN||5.5|mmol/L||H|||F",
    ]
    pressure, low, high = read(message(*rows))
    assert pressure.value == pytest.approx(16e3)
    assert (low.censoring, high.censoring) == ("below", "none")
    assert high.value == pytest.approx(5.5)


def test_what_is_not_taken_is_told() -> None:
    rows = [
        HR,
        "OBX|2|ST|8867-4^^LN||high||||||F",
        "OBX|3|NM|8867-4^^LN||70|/min|||||W",
        "OBX|4|NM|8867-4^^LN|||/min|||||F",
        "OBX|5|NM|XYZ^^99LOCAL||3|1|||||F",
        "OBX|6|NM|8867-4^^LN||70|/min|||||",
    ]
    report = report_hl7(message(*rows), subject=None, received=NOW)
    assert len(report.observations) == 1
    said = ["only NM", "marked as wrong", "no value", "no code", "status ''"]
    assert len(report.not_read) == len(said)
    for sentence, words in zip(report.not_read, said, strict=True):
        assert words in sentence
    with pytest.raises(FormatError, match="marked as wrong"):
        read(message(rows[2]))
    with pytest.raises(FormatError, match="no OBX"):
        read(message())


def test_the_zone_must_come_from_somewhere() -> None:
    bare = MSH.replace("+0100", "")
    with pytest.raises(TimeError, match="names no zone"):
        read(message(HR, head=bare))
    assert read(message(HR, head=bare), zone=60) == read(message(HR))
    own = message(HR.replace("10.25", "10.25-0500"))
    assert read(own)[0].zone == -300


def test_whose_it_is() -> None:
    assert read(message(HR), subject=None)[0].subject == "p1"
    assert read(message(HR), subject="x9")[0].subject == "x9"
    with pytest.raises(IdentityError, match="'p1', not 'p2'"):
        read(message(HR), subject="p2")
    known = report_hl7(message(HR), subject="p2", received=NOW, known_as=["p1"])
    assert known.observations[0].subject == "p2"
    with pytest.raises(IdentityError, match="mixes"):
        read(message(HR, "PID|2||p2", HR))
    with pytest.raises(IdentityError, match="several"):
        read(message(HR) + message(HR).replace(b"p1^^^HOSP^MR~x9", b"p2"), subject=None)
    for nobody in (b"PID|1||", b'PID|1||""', b"PV1|1|"):
        with pytest.raises(IdentityError, match="no patient"):
            read(message(HR).replace(PID.encode(), nobody))


@pytest.mark.parametrize(
    ("charset", "codec"), [("8859/1", "latin-1"), ("UNICODE UTF-8", "utf-8"), ("", "utf-8")]
)
def test_character_sets(charset: str, codec: str) -> None:
    text = message(HR, head=MSH + "||||||" + charset).decode().replace("Doe", "Döe")
    assert len(read(text.encode(codec))) == 1


HOSTILE: dict[str, tuple[bytes, type[InputError], str]] = {
    "nothing": (b"", FormatError, "MSH"),
    "no header": (b"PID|1||p1\r" + HR.encode(), FormatError, "begin with MSH"),
    "header cut": (b"MSH|^", FormatError, "separators"),
    "separators alike": (b"MSH|||||" + HR.encode(), FormatError, "separators"),
    "separators are letters": (message(HR).replace(b"MSH|^~", b"MSH|ab"), FormatError, "signs"),
    "only separators": (b"MSH|^~\\&", FormatError, "MSH-9"),
    "another type": (message(HR).replace(b"ORU^R01", b"ADT^A01"), FormatError, "ADT"),
    "NUL": (message(HR.replace("72", "7\x002")), FormatError, "0x00"),
    "charset": (message(HR, head=MSH + "||||||GB 18030-2000"), FormatError, "MSH-18"),
    "not its charset": (message(HR).replace(b"Doe", b"D\xf6e"), FormatError, "UTF-8"),
    "NaN": (message(HR.replace("|72|", "|NaN|")), FormatError, "no number"),
    "infinity": (message(HR.replace("|72|", "|inf|")), FormatError, "no number"),
    "exponent": (message(HR.replace("|72|", "|1e9|")), FormatError, "no number"),
    "two numbers": (message(HR.replace("|72|", "|72~73|")), FormatError, "no number"),
    "Arabic digits": (message(HR.replace("|72|", "|٧٢|")), FormatError, "no number"),
    "impossible": (message(HR.replace("|72|", "|-72|")), RangeError, "not possible"),
    "no unit": (message(HR.replace("|/min|", "||")), UnitError, "OBX-6"),
    "unknown unit": (message(HR.replace("|/min|", "|beats|")), UnitError, "beats"),
    "unknown MDC unit": (message(HR.replace("|/min|", "|9^x^MDC|")), UnitError, "MDC"),
    "unit of something else": (message(HR.replace("|/min|", "|kg|")), UnitError, "different"),
    "day only": (message(HR.replace("074510.25", "")), TimeError, "to the minute"),
    "31 February": (message(HR.replace("20260223", "20260231")), TimeError, "no date"),
    "zone of 99 h": (message(HR.replace(".25", "+9900")), TimeError, "from UTC"),
    "year 9999": (message(HR.replace("20260223", "99990223")), TimeError, "2262"),
    "no time": (message(HR[: HR.rindex("|")]).replace(OBR.encode(), b"OBR|1"), TimeError, "''"),
    "huge field": (message(HR.replace("Heart", "H" * 70_000)), LimitError, "field"),
    "huge message": (message(*[HR] * 18_000), LimitError, "1 MiB"),
    "many segments": (message(*["NTE|"] * 10_001), LimitError, "segments"),
    "open frame": (b"\x0b" + message(HR), FormatError, "no end"),
}


@pytest.mark.parametrize(("data", "error", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile(data: bytes, error: type[InputError], said: str) -> None:
    with pytest.raises(error, match=said) as caught:
        read(data)
    assert str(caught.value).startswith("hl7: ")


def test_a_wrong_number_refuses_the_whole_message() -> None:
    with pytest.raises(RangeError, match="OBX 9"):
        read(message(HR, HR.replace("OBX|1", "OBX|9").replace("|72|", "|9999|")))


def test_zone_in_hours_is_refused() -> None:
    with pytest.raises(RangeError, match="not hours"):
        read(message(HR), zone=3600)


def test_acknowledgement() -> None:
    sent = acknowledge(message(HR), "AE", "HR of 9|9 ^ is\rnot possible", NOW).decode()
    head, answer, end = sent.split("\r")
    assert head.startswith("MSH|^~\\&|ISO|LAB|MON|ICU|20260223070000+0000||ACK^R01|1771830000")
    assert answer == "MSA|AE|77|HR of 9\\F\\9 \\S\\ is not possible"
    assert end == ""
    assert acknowledge(b"MSH|^~\\&", "AR", "", NOW).endswith(b"\rMSA|AR||\r")
    frame(acknowledge(message(HR, head=MSH.replace("|77|", "|7\x1c\x0b7|")), "AA", "", NOW))
    with pytest.raises(FormatError):
        acknowledge(b"hello", "AR", "", NOW)


piece = st.sampled_from(["|", "^", "~", "\\", "&", "\r", "MSH", "PID", "OBX", "NM", "7", "ä", " "])


field = st.text("ab7^~&. ", min_size=1, max_size=6).filter(lambda f: f.strip() == f)


@given(st.lists(st.lists(field, min_size=1, max_size=9), max_size=4))
def test_fields_are_those_of_the_reference_parser(segments: list[list[str]]) -> None:
    text = "\r".join([MSH, *("|".join(("OBX", *fields)) for fields in segments)])
    expected = [tuple(str(f) for f in segment) for segment in hl7.parse(text)]
    assert _rows(text, "|") == expected


@given(st.binary(max_size=80))
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(InputError):
        read(data)


@given(st.integers(0, 400), st.integers(0, 20), st.lists(piece, max_size=12))
def test_a_spoilt_message(at: int, cut: int, pieces: list[str]) -> None:
    whole = message(HR)
    at %= len(whole)
    try:
        found = read(whole[:at] + "".join(pieces).encode() + whole[at + cut :])
    except InputError:
        return
    assert all(o.subject == "p1" for o in found)
