"""The command line: `isosoma run | beats | intake | …`. Verbs import what they need."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from isosoma import __version__
from isosoma.core.errors import IsosomaError
from isosoma.serve.own_tables import take_tables

__all__ = ["build_parser", "main"]

NEWS = "This is a fault of isosoma, not yours. Please report it with the output of --debug"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every verb; docs/cli.md is made from it."""
    parser = argparse.ArgumentParser(
        prog="isosoma",
        description="A living model of one patient, kept as a signed log. For research; not a "
        "cleared medical device.",
    )
    parser.add_argument("--version", action="version", version=f"isosoma {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the trace of a failure")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _run(verbs)
    _beats(verbs)
    _intake(verbs)
    _listen(verbs)
    _send(verbs)
    _record(verbs)
    _simulate(verbs)
    _models(verbs)
    _build(verbs)
    _forecast(verbs)
    _rehearse(verbs)
    _image(verbs)
    return parser


def _verb(
    verbs: Any,
    name: str,
    sentence: str,
    target: str,
) -> argparse.ArgumentParser:
    """Add a verb whose work is function `target`, written `module:function` inside serve."""
    made: argparse.ArgumentParser = verbs.add_parser(name, help=sentence, description=sentence)
    made.set_defaults(target=target)
    return made


def _run(verbs: Any) -> None:
    verb = _verb(verbs, "run", "Serve the live page on this machine.", "cli_run:run")
    verb.add_argument(
        "--record",
        metavar="PATH",
        help="replay this WFDB record, EDF or CSV file instead of a simulated patient",
    )
    verb.add_argument("--channel", metavar="NAME|N", help="the ECG to find beats in (first)")
    verb.add_argument(
        "--port", type=_port, default=8000, help="port, 0 for a free one (%(default)s)"
    )
    verb.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    verb.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="a further host name to answer to; may be repeated",
    )
    verb.add_argument("--speed", type=_positive, default=1.0, help="times real time (%(default)s)")
    verb.add_argument("--store", metavar="FILE", help="take telemetry (POST /fhir) into this log")
    verb.add_argument(
        "--patient",
        metavar="DIR|ID",
        help="a patient's folder, whose twin is built and kept in step; or the id whose telemetry "
        "--store takes",
    )
    take_tables(verb)
    verb.add_argument("--no-browser", action="store_true", help="do not open a browser")


def _beats(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "beats",
        "Find the beats of a recording as they would be found live: time of R, type, rhythm, "
        "quality, decision delay.",
        "cli_beats:run",
    )
    verb.add_argument("record", metavar="RECORD", help="WFDB record, EDF file or CSV waveform")
    verb.add_argument(
        "--chunk",
        type=_positive,
        default=1.0,
        metavar="SECONDS",
        help="length of the chunks it is fed in; changes no beat (%(default)s)",
    )
    verb.add_argument("--channel", metavar="NAME|N", help="the ECG to use (first)")
    _formats(verb)


def _formats(verb: argparse.ArgumentParser, csv: bool = True) -> None:
    group = verb.add_mutually_exclusive_group()
    if csv:
        group.add_argument("--csv", action="store_true", help="comma-separated, with a header")
    group.add_argument("--json", action="store_true", help="one JSON object")


def _intake(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "intake",
        "Read files, judge what is in them, and keep it in a patient's log.",
        "cli_intake:run",
    )
    verb.add_argument("paths", nargs="+", metavar="PATH", help="files or folders to take in")
    verb.add_argument("--store", required=True, metavar="FILE", help="the log; made when absent")
    verb.add_argument("--patient", required=True, metavar="ID", help="whose data it is")
    verb.add_argument(
        "--now", metavar="TIME", help="time of arrival, RFC 3339 (the clock of this machine)"
    )
    _formats(verb, csv=False)


def _listen(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "listen",
        "Take live messages, MQTT and HL7 v2 over MLLP, into a patient's log until Ctrl-C; each is "
        "acknowledged once it is on disk.",
        "cli_listen:run",
    )
    verb.add_argument("--store", required=True, metavar="FILE", help="the log; made when absent")
    verb.add_argument("--patient", required=True, metavar="ID", help="whose data it is")
    _mqtt(verb, "subscribe at this broker")
    verb.add_argument(
        "--topic",
        action="append",
        default=[],
        metavar="FILTER",
        help="MQTT topics to subscribe to; may be repeated (isosoma/<patient>/#)",
    )
    verb.add_argument(
        "--broker",
        nargs="?",
        type=_port,
        const=1883,
        metavar="PORT",
        help="start a broker of our own on this machine, for a demonstration (port 1883)",
    )
    verb.add_argument(
        "--client-id",
        default="",
        metavar="NAME",
        help="the broker keeps our session by it (made of log and patient)",
    )
    verb.add_argument(
        "--mllp", type=_port, metavar="PORT", help="serve MLLP here; 0 for a free one"
    )
    verb.add_argument(
        "--host", default="127.0.0.1", help="address that MLLP listens on (%(default)s)"
    )
    verb.add_argument(
        "--known-as",
        action="append",
        default=[],
        metavar="ID",
        help="a further identifier of the patient in HL7 (PID-3); may be repeated",
    )
    verb.add_argument(
        "--zone", metavar="+HH:MM", help="of HL7 and GATT clocks that name none (they are refused)"
    )
    _formats(verb, csv=False)


def _mqtt(verb: argparse.ArgumentParser, what: str, required: bool = False) -> None:
    verb.add_argument("--mqtt", required=required, metavar="HOST:PORT", help=what)
    verb.add_argument(
        "--mqtt-version", choices=("3.1.1", "5"), default="5", help="to speak (%(default)s)"
    )
    verb.add_argument(
        "--user", default="", metavar="NAME", help="at the broker; ISOSOMA_MQTT_PASSWORD says how"
    )
    verb.add_argument(
        "--ca", default="", metavar="FILE", help="certificate authority of the broker; turns on TLS"
    )


def _send(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "send",
        "Publish a recording over MQTT as a bedside monitor would, at its own pace.",
        "cli_send:run",
    )
    verb.add_argument("record", metavar="RECORD", help="WFDB record, EDF file or table")
    verb.add_argument("--patient", required=True, metavar="ID", help="whose topics to publish to")
    _mqtt(verb, "the broker to publish to", required=True)
    verb.add_argument("--speed", type=_positive, default=1.0, help="times real time (%(default)s)")
    verb.add_argument(
        "--frame",
        type=_positive,
        default=1.0,
        metavar="SECONDS",
        help="length of a frame of signal (%(default)s)",
    )
    verb.add_argument("--device", default="", metavar="NAME", help="name to send as (the record's)")
    verb.add_argument(
        "--start",
        metavar="TIME",
        help="when the record began, RFC 3339; the same again sends the same readings "
        "(so that it is live now)",
    )
    _formats(verb, csv=False)


def _record(verbs: Any) -> None:
    sentence = "Look after a log: verify, show, copy, erase."
    inner = verbs.add_parser("record", help=sentence, description=sentence).add_subparsers(
        dest="act", metavar="ACT", required=True
    )
    verify = _verb(
        inner,
        "verify",
        "Check a log offline: signatures, chain, blobs. Exit code 0 when it is intact, 1 when "
        "something was found, 2 when there is no log to check.",
        "cli_record:check",
    )
    verify.add_argument("file", metavar="FILE", help="the log")
    verify.add_argument(
        "--checkpoint", metavar="FILE", help="a later checkpoint this log must contain"
    )
    verify.add_argument(
        "--key",
        action="append",
        metavar="NAME+ID+BASE64",
        help="a public key to trust, noted elsewhere; repeatable (those in FILE-keys)",
    )
    verify.add_argument("--deep", action="store_true", help="decrypt every entry as well")
    _formats(verify, csv=False)
    show = _verb(inner, "show", "List the entries of a log, decrypted.", "cli_record:show")
    show.add_argument("file", metavar="FILE", help="the log")
    show.add_argument("--patient", metavar="ID", help="only this patient")
    show.add_argument("--kind", action="append", metavar="KIND", help="only this kind; repeatable")
    show.add_argument("--limit", type=_count, default=0, help="at most so many entries (all)")
    _formats(show, csv=False)
    copy = _verb(
        inner,
        "copy",
        "Copy a log as it stands, also while it is written to; without its keys, so that what is "
        "erased later is gone from the copy as well.",
        "cli_record:duplicate",
    )
    copy.add_argument("file", metavar="FILE", help="the log")
    copy.add_argument("to", metavar="TARGET", help="where; nothing there is replaced")
    _formats(copy, csv=False)
    erase = _verb(
        inner, "erase", "Destroy a patient's key: the content is gone for good.", "cli_record:wipe"
    )
    erase.add_argument("file", metavar="FILE", help="the log")
    erase.add_argument("--patient", required=True, metavar="ID", help="whose data is erased")
    erase.add_argument("--reason", required=True, help="why; kept in the log")
    erase.add_argument(
        "--by", default="", metavar="NAME", help="who asks (the user of this machine)"
    )
    _formats(erase, csv=False)


def _simulate(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "simulate",
        "Simulate a person's circulation and what is done to it: clinical indices for each beat, "
        "and a summary. Exit code 1 when it diverged.",
        "cli_simulate:run",
    )
    verb.add_argument("model", choices=("circulation",), help="what to simulate")
    verb.add_argument(
        "--person",
        default="",
        metavar="age=N,weight=N,height=N,sex=f|m",
        help="whose, in years, kg and cm unless a unit is said; what is left out is the median of "
        "the age (40 years, 75 kg, 177 cm, male)",
    )
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE[UNIT]",
        help="a parameter or a held input, with its unit; repeatable",
    )
    verb.add_argument(
        "--do",
        action="append",
        default=[],
        metavar="ACT",
        help="what is done: 'bleed 500 mL in 10 min at 60 s'; repeatable; "
        "`isosoma models --acts` lists all",
    )
    verb.add_argument("--graph", metavar="FILE", help="change the graph as this TOML or JSON says")
    verb.add_argument(
        "--for", dest="span", metavar="TIME", help="how long, 5min (two minutes after the last act)"
    )
    verb.add_argument("--plot", metavar="FILE.svg", help="draw trends, pressures and the loop")
    verb.add_argument("--case", metavar="FILE", help="run a published case instead, cases/*.toml")
    verb.add_argument(
        "--hz", type=_wave, default=100.0, help="samples of --csv in a second (%(default)s)"
    )
    group = verb.add_mutually_exclusive_group()
    group.add_argument("--csv", action="store_true", help="waveforms of pressure, volume, flow")
    group.add_argument("--json", action="store_true", help="one JSON object: summary and beats")


def _models(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "models",
        "Tell which models there are: version, intended use, published cases, parameters.",
        "cli_models:run",
    )
    verb.add_argument("name", nargs="?", default="", metavar="NAME", help="only this one (all)")
    verb.add_argument("--parameters", action="store_true", help="list unit, prior and source")
    verb.add_argument("--acts", action="store_true", help="list what can be done and how")
    verb.add_argument("--check", action="store_true", help="run the cases; exit 1 if one misses")
    _formats(verb, csv=False)


def _image(verbs: Any) -> None:
    sentence = "Read images of a patient: DICOM and NIfTI."
    kinds = verbs.add_parser("image", help=sentence, description=sentence).add_subparsers(
        dest="act", metavar="ACT", required=True
    )
    info = _verb(
        kinds,
        "info",
        "Tell the stacks of an examination: geometry, phases, what was decided, and what in it "
        "tells of a person.",
        "cli_image:run",
    )
    info.add_argument("folder", metavar="DIR|FILE", help="DICOM files, or one NIfTI file")
    _formats(info, csv=False)
    build = _verb(
        kinds,
        "build",
        "Build the beating ventricles of a cine examination, without anybody's help: volumes, "
        "mass and wall with intervals and doubts (heart.json), moving meshes (heart.glb), STL, "
        "labels as NIfTI and, of DICOM, as DICOM SEG. Exit code 2 where there is no heart to "
        "build; then nothing is written.",
        "cli_image_build:run",
    )
    build.add_argument(
        "folder", metavar="DIR",
        help="DICOM files, or NIfTI files of four axes: a short-axis stack, long axes",
    )  # fmt: skip
    build.add_argument("--out", metavar="DIR", required=True, help="folder to make")
    _formats(build, csv=False)
    label = _verb(
        kinds,
        "segment",
        "Label a volume: the aorta, followed plane by plane, or what a network of your own finds. "
        "Writes labels and probability as NIfTI, and volumes, quality and doubts as JSON.",
        "cli_image_segment:run",
    )
    label.add_argument("folder", metavar="DIR|FILE", help="DICOM files, or one NIfTI file")
    label.add_argument(
        "--with", dest="model", metavar="MODEL", required=True,
        help='"aorta", NAME.onnx beside NAME.toml, or a folder of nnU-Net v2, MONAI or '
        "TotalSegmentator",
    )  # fmt: skip
    label.add_argument(
        "--trust-model", action="store_true",
        help="run the code that a model of nnU-Net, MONAI or TotalSegmentator brings with it",
    )  # fmt: skip
    label.add_argument("--stack", type=int, metavar="N", help="which stack of several, from 1")
    label.add_argument("--at", metavar="R,A,S", help="a click into the aorta, RAS mm")
    label.add_argument("--out", metavar="DIR", required=True, help="folder to make")
    _formats(label, csv=False)
    get = _verb(
        kinds,
        "fetch",
        "Fetch a study from an archive over DICOMweb; its files are numbered, not named. The "
        "password, if one is asked, comes from ISOSOMA_DICOMWEB_PASSWORD.",
        "cli_image_fetch:run",
    )
    get.add_argument("address", metavar="URL", help="where the archive speaks DICOMweb")
    get.add_argument("--study", metavar="UID", required=True, help="its StudyInstanceUID")
    get.add_argument("--out", metavar="DIR", required=True, help="folder to make")
    get.add_argument("--user", default="", metavar="NAME", help="whom the archive knows")
    _formats(get, csv=False)


def _build(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "build",
        "Take a patient's folder into a log and fold the twin: every unknown before and after.",
        "cli_build:run",
    )
    verb.add_argument(
        "folder", metavar="PATIENT_DIR", help="patient.toml, and tables or records of vitals"
    )
    verb.add_argument("--store", metavar="FILE", required=True, help="the log to keep it in")
    _when(verb)


def _forecast(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "forecast",
        "Tell what a built twin expects, with intervals, ages of the data, and what they leave "
        "unknown.",
        "cli_forecast:run",
    )
    verb.add_argument("file", metavar="FILE", help="the log")
    verb.add_argument("--patient", metavar="ID", help="whose twin (the only one)")
    verb.add_argument(
        "--for", dest="span", metavar="TIME", default="30min", help="horizon (%(default)s)"
    )
    verb.add_argument(
        "--do",
        action="append",
        default=[],
        metavar="ACT",
        help="what is done, counted from now: 'bleed 500 mL in 10 min'; repeatable",
    )
    verb.add_argument("--plot", metavar="FILE.svg", help="draw readings, beliefs and forecast")
    _when(verb)


def _rehearse(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "rehearse",
        "Play ways of treating side by side on a twin, or on what is usual at an age and size: "
        "chances of complications, paired differences, a ranking with regret. Exit code 1 where "
        "the model does not apply.",
        "cli_rehearse:run",
    )
    verb.add_argument("file", metavar="FILE", help="the rehearsal, TOML or JSON")
    verb.add_argument("--store", metavar="FILE", help="the log of a twin that was built")
    verb.add_argument("--patient", metavar="ID", help="whose twin (the only one)")
    verb.add_argument(
        "--person",
        default="",
        metavar="age=N,weight=N,height=N,sex=f|m",
        help="without a log: whose age and size (40 years, 75 kg, 177 cm, male)",
    )
    verb.add_argument("--members", type=_count, default=256, help="how many (%(default)s)")
    verb.add_argument("--plot", metavar="FILE.svg", help="draw every option's course")
    take_tables(verb)
    verb.add_argument("--keep", action="store_true", help="record question and answer in the log")
    verb.add_argument("--again", action="store_true", help="supersede an answer that was signed")
    verb.add_argument("--guess", metavar="OPTION", help="your own choice, before the answer")
    verb.add_argument("--by", default="", metavar="NAME", help="who guesses")
    _when(verb)


def _when(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--now", metavar="TIME", help="instant, RFC 3339 (this machine's clock)")
    verb.add_argument("--seed", type=_count, default=0, help="of all draws (%(default)s)")
    _formats(verb, csv=False)


def _wave(text: str) -> float:
    value = _number(text)
    if not 1.0 <= value <= 1000.0:
        raise argparse.ArgumentTypeError("a rate lies between 1 and 1000")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def _positive(text: str) -> float:
    value = _number(text)
    if not 0.0 < value < 1e6:
        raise argparse.ArgumentTypeError("a number above 0 is needed")
    return value


def _count(text: str) -> int:
    value = _number(text)
    if value < 0 or value != int(value):
        raise argparse.ArgumentTypeError("a whole number from 0 on is needed")
    return int(value)


def _port(text: str) -> int:
    value = _count(text)
    if value > 65535:
        raise argparse.ArgumentTypeError("a port lies between 0 and 65535")
    return value


def _target(name: str) -> Callable[[argparse.Namespace], int]:
    module, function = name.split(":")
    found: Callable[[argparse.Namespace], int] = getattr(
        import_module(f"isosoma.serve.{module}"), function
    )
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code: 0 well, 1 findings, 2 refused, 70 a fault of ours."""
    arguments = build_parser().parse_args(argv)
    try:
        return _target(arguments.target)(arguments)
    except IsosomaError as error:
        return _fail(f"isosoma: {error}", 2, arguments.debug)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        place = Path(str(error.filename)).name + ": " if error.filename else ""
        return _fail(f"isosoma: {place}{error.strerror or error}", 2, arguments.debug)
    except Exception as error:  # noqa: BLE001 - the last door before the person at the keyboard
        said = f"isosoma: {type(error).__name__}: {error}. {NEWS}."
        return _fail(said, 70, arguments.debug)


def _fail(sentence: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(sentence, file=sys.stderr)
    return code
