"""Which languages the settings choose, as first parts of BCP 47 tags, and who knows them."""

from cloud.settings import CloudSettings
from common.errors import SettingsError

ENGLISH = "en"


def by_whisper_alone(settings: CloudSettings) -> bool:
    """Whether no other engine will do: pocketsphinx hears English in whatever is said."""
    return set(settings.decoding.languages) != {ENGLISH}


def check(settings: CloudSettings) -> None:
    """SettingsError, a sentence, if no engine that is set knows them. Which languages weights know, they say
    themselves."""
    decoding = settings.decoding
    if not by_whisper_alone(settings):
        return
    others = ", ".join(language for language in decoding.languages if language != ENGLISH)
    if not decoding.whisper:
        raise SettingsError(f"decoding.languages has {others}, which needs Whisper; set decoding.whisper to true.")
    if decoding.whisper_model.endswith(".en"):
        raise SettingsError(
            f"decoding.languages has {others}, but {decoding.whisper_model} knows English alone; type: parrotlet-cloud "
            "engines fetch base, and set decoding.whisper_model to base."
        )
