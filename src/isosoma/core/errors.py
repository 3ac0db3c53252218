"""What can go wrong, as one tree. Every error says what, where, and what to do next.

::

    IsosomaError
    ├── InputError            something from outside is not acceptable; nothing was changed
    │   ├── FormatError       the bytes are not the format they claim to be
    │   ├── UnitError         a unit is unknown, missing, or of another dimension
    │   ├── VocabularyError   a name or code that the vocabulary does not hold
    │   ├── RangeError        a value outside what is physically possible
    │   ├── TimeError         an instant that cannot be (future, year 9999, no time zone)
    │   ├── IdentityError     another patient, a mixture of patients, an unknown device
    │   └── LimitError        too large, too deep, too many
    ├── RecordError           the log cannot do what was asked
    │   ├── TamperError       something stored is not what was signed
    │   ├── ErasedError       the patient's key was destroyed; the content is gone for good
    │   └── BusyError         the queue is full; nothing was accepted, try again
    ├── ModelError            a model was built or called wrongly
    └── AccessError           this principal may not do that
"""

from __future__ import annotations

__all__ = [
    "AccessError",
    "BusyError",
    "ErasedError",
    "FormatError",
    "IdentityError",
    "InputError",
    "IsosomaError",
    "LimitError",
    "ModelError",
    "RangeError",
    "RecordError",
    "TamperError",
    "TimeError",
    "UnitError",
    "VocabularyError",
]


class IsosomaError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    what : what is wrong, in words a reader of the data understands.
    where : the file, line, field, entry or address; empty where there is none.
    todo : what the reader can do about it; empty where nothing helps.
    """

    def __init__(self, what: str, where: str = "", todo: str = "") -> None:
        self.what = what
        self.where = where
        self.todo = todo
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f". {self.todo}" if self.todo else ""
        return f"{place}{self.what}{advice}"

    def __reduce__(self) -> tuple[type[IsosomaError], tuple[str, str, str]]:
        return type(self), (self.what, self.where, self.todo)

    def at(self, where: str) -> IsosomaError:
        """Return the same error seen from further out: `where` is put before its place."""
        inner = f"{where}: {self.where}" if self.where else where
        return type(self)(self.what, inner, self.todo)


class InputError(IsosomaError):
    """Something from outside is not acceptable; nothing was changed."""


class FormatError(InputError):
    """The bytes are not the format they claim to be."""


class UnitError(InputError):
    """A unit is unknown, missing, or of another dimension."""


class VocabularyError(InputError):
    """A name or code that the vocabulary does not hold."""


class RangeError(InputError):
    """A value outside what is physically possible."""


class TimeError(InputError):
    """An instant that cannot be: in the future, beyond the calendar, or without a zone."""


class IdentityError(InputError):
    """Another patient, a mixture of patients, or an unknown device."""


class LimitError(InputError):
    """Too large, too deep, or too many."""


class RecordError(IsosomaError):
    """The log cannot do what was asked."""


class TamperError(RecordError):
    """Something stored is not what was signed."""


class ErasedError(RecordError):
    """The patient's key was destroyed; the content is gone for good."""


class BusyError(RecordError):
    """The queue is full; nothing was accepted, try again."""


class ModelError(IsosomaError):
    """A model was built or called wrongly."""


class AccessError(IsosomaError):
    """This principal may not do that."""
