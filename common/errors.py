"""Everything that goes wrong in a way a person can do something about.

    ParrotletError          its text is one sentence for that person
    ├── SettingsError       a settings file, environment variable or option is not usable
    ├── InputError          sound that cannot be read: missing, not audio, shorter than it says
    ├── MicrophoneError     a sound device that is not there, or went away
    ├── LoudspeakerError    a sound cannot be played, or a text not be spoken
    ├── DaemonError         the board's daemon is not there, or a part of it died
    ├── CloudError          the service did not answer an utterance
    │   ├── GivenUp         nobody wanted the answer any more
    │   └── NotUnderstood   it was heard whole, and is nothing that is known there
    ├── ActionError         what was understood could not be done
    ├── SpoolError          what was said cannot be kept on the disk, or not be read from it
    ├── IdentityError       keys, certificates or codes of enrolment that cannot be used or had
    ├── DomainError         a domain folder that cannot be built, or is not there
    ├── RolloutError        a candidate that cannot go on to where it was sent
    ├── DataError           recordings or labels that cannot be used as they are
    ├── ModelError          a model that cannot be made, or does not fit the board
    └── EngineError         a speech engine that cannot be used here, or weights that cannot be had

Errors of libraries are translated at the boundary to one of these, with `from` kept. Below `__main__` nothing
catches more than it can name.
"""


class ParrotletError(Exception):
    """Base of all errors whose text is meant for a person."""


class SettingsError(ParrotletError):
    """Raised when settings are not usable; names the source, the key, the legal range and the near key."""


class InputError(ParrotletError):
    """Raised when sound cannot be read; names the file."""


class MicrophoneError(ParrotletError):
    """Raised when a sound device cannot be opened or stops delivering."""


class LoudspeakerError(ParrotletError):
    """Raised when a sound cannot be played, or a text not be spoken; names what hinders it."""


class DaemonError(ParrotletError):
    """Raised when the board's daemon is not there, or cannot go on because a part of it died."""


class CloudError(ParrotletError):
    """Raised when a service did not answer an utterance; names the service and why."""


class GivenUp(CloudError):
    """Raised when an utterance was given up before a service could answer it."""


class NotUnderstood(CloudError):
    """Raised when whoever was asked heard all of an utterance and knows nothing like it; another may."""


class ActionError(ParrotletError):
    """Raised when an action could not be done; names the sink and why, and no word of what was said."""


class SpoolError(ParrotletError):
    """Raised when the spool's file cannot be used; names it and why."""


class IdentityError(ParrotletError):
    """Raised when keys, certificates or codes cannot be used or had; says what to type."""


class DomainError(ParrotletError):
    """Raised when a domain cannot be built or found; names the file and the line."""


class RolloutError(ParrotletError):
    """Raised when a candidate cannot be taken in, promoted or returned; says what to type."""


class DataError(ParrotletError):
    """Raised when a data set cannot be used; names the file and the line."""


class ModelError(ParrotletError):
    """Raised when a model cannot be made or used; names the file and what it was made for."""


class EngineError(ParrotletError):
    """Raised when an engine cannot be used here; says what is missing and what to type."""
