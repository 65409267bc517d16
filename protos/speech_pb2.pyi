from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Codec(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CODEC_UNSPECIFIED: _ClassVar[Codec]
    CODEC_RAW: _ClassVar[Codec]
    CODEC_DEFLATE: _ClassVar[Codec]
    CODEC_CONTEXT: _ClassVar[Codec]

class EndReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    END_REASON_UNSPECIFIED: _ClassVar[EndReason]
    END_REASON_ENDPOINT: _ClassVar[EndReason]
    END_REASON_MAX_LENGTH: _ClassVar[EndReason]
    END_REASON_END_OF_INPUT: _ClassVar[EndReason]
    END_REASON_SOURCE_LOST: _ClassVar[EndReason]
    END_REASON_MUTED: _ClassVar[EndReason]
    END_REASON_STOPPED: _ClassVar[EndReason]

class Completeness(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPLETENESS_UNSPECIFIED: _ClassVar[Completeness]
    COMPLETENESS_COMPLETE: _ClassVar[Completeness]
    COMPLETENESS_UNFINISHED: _ClassVar[Completeness]

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_RIGHT: _ClassVar[Verdict]
    VERDICT_WRONG: _ClassVar[Verdict]
CODEC_UNSPECIFIED: Codec
CODEC_RAW: Codec
CODEC_DEFLATE: Codec
CODEC_CONTEXT: Codec
END_REASON_UNSPECIFIED: EndReason
END_REASON_ENDPOINT: EndReason
END_REASON_MAX_LENGTH: EndReason
END_REASON_END_OF_INPUT: EndReason
END_REASON_SOURCE_LOST: EndReason
END_REASON_MUTED: EndReason
END_REASON_STOPPED: EndReason
COMPLETENESS_UNSPECIFIED: Completeness
COMPLETENESS_COMPLETE: Completeness
COMPLETENESS_UNFINISHED: Completeness
VERDICT_UNSPECIFIED: Verdict
VERDICT_RIGHT: Verdict
VERDICT_WRONG: Verdict

class DescribeRequest(_message.Message):
    __slots__ = ("device_id",)
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    def __init__(self, device_id: _Optional[str] = ...) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("service_version", "engines", "domains", "default_domain", "feature_specs", "codecs", "limits", "languages", "board_models", "withdrawn_board_models")
    SERVICE_VERSION_FIELD_NUMBER: _ClassVar[int]
    ENGINES_FIELD_NUMBER: _ClassVar[int]
    DOMAINS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_DOMAIN_FIELD_NUMBER: _ClassVar[int]
    FEATURE_SPECS_FIELD_NUMBER: _ClassVar[int]
    CODECS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    BOARD_MODELS_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_BOARD_MODELS_FIELD_NUMBER: _ClassVar[int]
    service_version: str
    engines: _containers.RepeatedCompositeFieldContainer[Engine]
    domains: _containers.RepeatedCompositeFieldContainer[Domain]
    default_domain: str
    feature_specs: _containers.RepeatedCompositeFieldContainer[FeatureSpec]
    codecs: _containers.RepeatedScalarFieldContainer[Codec]
    limits: Limits
    languages: _containers.RepeatedScalarFieldContainer[str]
    board_models: _containers.RepeatedCompositeFieldContainer[BoardModel]
    withdrawn_board_models: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, service_version: _Optional[str] = ..., engines: _Optional[_Iterable[_Union[Engine, _Mapping]]] = ..., domains: _Optional[_Iterable[_Union[Domain, _Mapping]]] = ..., default_domain: _Optional[str] = ..., feature_specs: _Optional[_Iterable[_Union[FeatureSpec, _Mapping]]] = ..., codecs: _Optional[_Iterable[_Union[Codec, str]]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., languages: _Optional[_Iterable[str]] = ..., board_models: _Optional[_Iterable[_Union[BoardModel, _Mapping]]] = ..., withdrawn_board_models: _Optional[_Iterable[str]] = ...) -> None: ...

class BoardModel(_message.Message):
    __slots__ = ("name", "version", "kind", "sha256", "bytes_count", "card_bytes_count", "feature_spec_fingerprint")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    BYTES_COUNT_FIELD_NUMBER: _ClassVar[int]
    CARD_BYTES_COUNT_FIELD_NUMBER: _ClassVar[int]
    FEATURE_SPEC_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    kind: str
    sha256: str
    bytes_count: int
    card_bytes_count: int
    feature_spec_fingerprint: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., kind: _Optional[str] = ..., sha256: _Optional[str] = ..., bytes_count: _Optional[int] = ..., card_bytes_count: _Optional[int] = ..., feature_spec_fingerprint: _Optional[str] = ...) -> None: ...

class Engine(_message.Message):
    __slots__ = ("name", "model")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    name: str
    model: str
    def __init__(self, name: _Optional[str] = ..., model: _Optional[str] = ...) -> None: ...

class Domain(_message.Message):
    __slots__ = ("name", "version", "entries", "examples")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    entries: int
    examples: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., entries: _Optional[int] = ..., examples: _Optional[_Iterable[str]] = ...) -> None: ...

class FeatureSpec(_message.Message):
    __slots__ = ("fingerprint",)
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    fingerprint: str
    def __init__(self, fingerprint: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("utterance_ms_max", "message_bytes_max", "streams_per_device_max", "replays_per_device_max", "utterances_per_minute_max", "bytes_per_minute_max", "feedback_per_minute_max")
    UTTERANCE_MS_MAX_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    STREAMS_PER_DEVICE_MAX_FIELD_NUMBER: _ClassVar[int]
    REPLAYS_PER_DEVICE_MAX_FIELD_NUMBER: _ClassVar[int]
    UTTERANCES_PER_MINUTE_MAX_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_MINUTE_MAX_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_PER_MINUTE_MAX_FIELD_NUMBER: _ClassVar[int]
    utterance_ms_max: int
    message_bytes_max: int
    streams_per_device_max: int
    replays_per_device_max: int
    utterances_per_minute_max: int
    bytes_per_minute_max: int
    feedback_per_minute_max: int
    def __init__(self, utterance_ms_max: _Optional[int] = ..., message_bytes_max: _Optional[int] = ..., streams_per_device_max: _Optional[int] = ..., replays_per_device_max: _Optional[int] = ..., utterances_per_minute_max: _Optional[int] = ..., bytes_per_minute_max: _Optional[int] = ..., feedback_per_minute_max: _Optional[int] = ...) -> None: ...

class RecognizeRequest(_message.Message):
    __slots__ = ("config", "frames", "speech_seems_over", "speech_goes_on", "end")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    SPEECH_SEEMS_OVER_FIELD_NUMBER: _ClassVar[int]
    SPEECH_GOES_ON_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    config: UtteranceConfig
    frames: Frames
    speech_seems_over: SpeechSeemsOver
    speech_goes_on: SpeechGoesOn
    end: UtteranceEnd
    def __init__(self, config: _Optional[_Union[UtteranceConfig, _Mapping]] = ..., frames: _Optional[_Union[Frames, _Mapping]] = ..., speech_seems_over: _Optional[_Union[SpeechSeemsOver, _Mapping]] = ..., speech_goes_on: _Optional[_Union[SpeechGoesOn, _Mapping]] = ..., end: _Optional[_Union[UtteranceEnd, _Mapping]] = ...) -> None: ...

class UtteranceConfig(_message.Message):
    __slots__ = ("utterance_id", "device_id", "session_id", "sequence_number", "follows_utterance_id", "feature_spec_fingerprint", "codec", "domain", "language", "started_at_unix_us", "clock_synchronised", "edge_version", "local_model_version", "attempt", "replayed", "vad", "codec_tables", "explain")
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FOLLOWS_UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_SPEC_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    CLOCK_SYNCHRONISED_FIELD_NUMBER: _ClassVar[int]
    EDGE_VERSION_FIELD_NUMBER: _ClassVar[int]
    LOCAL_MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    VAD_FIELD_NUMBER: _ClassVar[int]
    CODEC_TABLES_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    utterance_id: str
    device_id: str
    session_id: str
    sequence_number: int
    follows_utterance_id: str
    feature_spec_fingerprint: str
    codec: Codec
    domain: str
    language: str
    started_at_unix_us: int
    clock_synchronised: bool
    edge_version: str
    local_model_version: str
    attempt: int
    replayed: bool
    vad: str
    codec_tables: str
    explain: bool
    def __init__(self, utterance_id: _Optional[str] = ..., device_id: _Optional[str] = ..., session_id: _Optional[str] = ..., sequence_number: _Optional[int] = ..., follows_utterance_id: _Optional[str] = ..., feature_spec_fingerprint: _Optional[str] = ..., codec: _Optional[_Union[Codec, str]] = ..., domain: _Optional[str] = ..., language: _Optional[str] = ..., started_at_unix_us: _Optional[int] = ..., clock_synchronised: _Optional[bool] = ..., edge_version: _Optional[str] = ..., local_model_version: _Optional[str] = ..., attempt: _Optional[int] = ..., replayed: _Optional[bool] = ..., vad: _Optional[str] = ..., codec_tables: _Optional[str] = ..., explain: _Optional[bool] = ...) -> None: ...

class Frames(_message.Message):
    __slots__ = ("first_frame", "frame_count", "data")
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    FRAME_COUNT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    first_frame: int
    frame_count: int
    data: bytes
    def __init__(self, first_frame: _Optional[int] = ..., frame_count: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class SpeechSeemsOver(_message.Message):
    __slots__ = ("speech_end_ms",)
    SPEECH_END_MS_FIELD_NUMBER: _ClassVar[int]
    speech_end_ms: int
    def __init__(self, speech_end_ms: _Optional[int] = ...) -> None: ...

class SpeechGoesOn(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UtteranceEnd(_message.Message):
    __slots__ = ("reason", "speech_start_ms", "speech_end_ms", "level_dbfs", "peak_dbfs", "noise_floor_dbfs", "snr_db", "clipped_share", "overruns", "gaps", "pitch_hz", "pitch_low_hz", "pitch_high_hz")
    REASON_FIELD_NUMBER: _ClassVar[int]
    SPEECH_START_MS_FIELD_NUMBER: _ClassVar[int]
    SPEECH_END_MS_FIELD_NUMBER: _ClassVar[int]
    LEVEL_DBFS_FIELD_NUMBER: _ClassVar[int]
    PEAK_DBFS_FIELD_NUMBER: _ClassVar[int]
    NOISE_FLOOR_DBFS_FIELD_NUMBER: _ClassVar[int]
    SNR_DB_FIELD_NUMBER: _ClassVar[int]
    CLIPPED_SHARE_FIELD_NUMBER: _ClassVar[int]
    OVERRUNS_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    PITCH_HZ_FIELD_NUMBER: _ClassVar[int]
    PITCH_LOW_HZ_FIELD_NUMBER: _ClassVar[int]
    PITCH_HIGH_HZ_FIELD_NUMBER: _ClassVar[int]
    reason: EndReason
    speech_start_ms: int
    speech_end_ms: int
    level_dbfs: float
    peak_dbfs: float
    noise_floor_dbfs: float
    snr_db: float
    clipped_share: float
    overruns: int
    gaps: int
    pitch_hz: float
    pitch_low_hz: float
    pitch_high_hz: float
    def __init__(self, reason: _Optional[_Union[EndReason, str]] = ..., speech_start_ms: _Optional[int] = ..., speech_end_ms: _Optional[int] = ..., level_dbfs: _Optional[float] = ..., peak_dbfs: _Optional[float] = ..., noise_floor_dbfs: _Optional[float] = ..., snr_db: _Optional[float] = ..., clipped_share: _Optional[float] = ..., overruns: _Optional[int] = ..., gaps: _Optional[int] = ..., pitch_hz: _Optional[float] = ..., pitch_low_hz: _Optional[float] = ..., pitch_high_hz: _Optional[float] = ...) -> None: ...

class RecognizeResponse(_message.Message):
    __slots__ = ("partial", "final", "turn")
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    TURN_FIELD_NUMBER: _ClassVar[int]
    partial: Partial
    final: Final
    turn: Turn
    def __init__(self, partial: _Optional[_Union[Partial, _Mapping]] = ..., final: _Optional[_Union[Final, _Mapping]] = ..., turn: _Optional[_Union[Turn, _Mapping]] = ...) -> None: ...

class Turn(_message.Message):
    __slots__ = ("speech_end_ms", "completeness")
    SPEECH_END_MS_FIELD_NUMBER: _ClassVar[int]
    COMPLETENESS_FIELD_NUMBER: _ClassVar[int]
    speech_end_ms: int
    completeness: Completeness
    def __init__(self, speech_end_ms: _Optional[int] = ..., completeness: _Optional[_Union[Completeness, str]] = ...) -> None: ...

class Partial(_message.Message):
    __slots__ = ("revision", "stable_text", "unstable_text", "decoded_ms")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STABLE_TEXT_FIELD_NUMBER: _ClassVar[int]
    UNSTABLE_TEXT_FIELD_NUMBER: _ClassVar[int]
    DECODED_MS_FIELD_NUMBER: _ClassVar[int]
    revision: int
    stable_text: str
    unstable_text: str
    decoded_ms: int
    def __init__(self, revision: _Optional[int] = ..., stable_text: _Optional[str] = ..., unstable_text: _Optional[str] = ..., decoded_ms: _Optional[int] = ...) -> None: ...

class Final(_message.Message):
    __slots__ = ("transcript", "confidence", "alternatives", "words", "intent", "results", "results_are_partial", "engine", "domain", "service_version", "waiting_ms", "decoding_ms", "searching_ms", "from_log", "not_logged", "choices", "explanation", "twin")
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    RESULTS_ARE_PARTIAL_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SERVICE_VERSION_FIELD_NUMBER: _ClassVar[int]
    WAITING_MS_FIELD_NUMBER: _ClassVar[int]
    DECODING_MS_FIELD_NUMBER: _ClassVar[int]
    SEARCHING_MS_FIELD_NUMBER: _ClassVar[int]
    FROM_LOG_FIELD_NUMBER: _ClassVar[int]
    NOT_LOGGED_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    TWIN_FIELD_NUMBER: _ClassVar[int]
    transcript: str
    confidence: float
    alternatives: _containers.RepeatedCompositeFieldContainer[Alternative]
    words: _containers.RepeatedCompositeFieldContainer[Word]
    intent: Intent
    results: _containers.RepeatedCompositeFieldContainer[SearchResult]
    results_are_partial: bool
    engine: Engine
    domain: Domain
    service_version: str
    waiting_ms: int
    decoding_ms: int
    searching_ms: int
    from_log: bool
    not_logged: bool
    choices: _containers.RepeatedCompositeFieldContainer[Choice]
    explanation: _containers.RepeatedScalarFieldContainer[str]
    twin: Twin
    def __init__(self, transcript: _Optional[str] = ..., confidence: _Optional[float] = ..., alternatives: _Optional[_Iterable[_Union[Alternative, _Mapping]]] = ..., words: _Optional[_Iterable[_Union[Word, _Mapping]]] = ..., intent: _Optional[_Union[Intent, _Mapping]] = ..., results: _Optional[_Iterable[_Union[SearchResult, _Mapping]]] = ..., results_are_partial: _Optional[bool] = ..., engine: _Optional[_Union[Engine, _Mapping]] = ..., domain: _Optional[_Union[Domain, _Mapping]] = ..., service_version: _Optional[str] = ..., waiting_ms: _Optional[int] = ..., decoding_ms: _Optional[int] = ..., searching_ms: _Optional[int] = ..., from_log: _Optional[bool] = ..., not_logged: _Optional[bool] = ..., choices: _Optional[_Iterable[_Union[Choice, _Mapping]]] = ..., explanation: _Optional[_Iterable[str]] = ..., twin: _Optional[_Union[Twin, _Mapping]] = ...) -> None: ...

class Twin(_message.Message):
    __slots__ = ("device_id", "utterance_id", "heard_best")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    HEARD_BEST_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    utterance_id: str
    heard_best: str
    def __init__(self, device_id: _Optional[str] = ..., utterance_id: _Optional[str] = ..., heard_best: _Optional[str] = ...) -> None: ...

class Choice(_message.Message):
    __slots__ = ("transcript", "intent")
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    transcript: str
    intent: Intent
    def __init__(self, transcript: _Optional[str] = ..., intent: _Optional[_Union[Intent, _Mapping]] = ...) -> None: ...

class Alternative(_message.Message):
    __slots__ = ("transcript", "confidence", "engine")
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    transcript: str
    confidence: float
    engine: str
    def __init__(self, transcript: _Optional[str] = ..., confidence: _Optional[float] = ..., engine: _Optional[str] = ...) -> None: ...

class Word(_message.Message):
    __slots__ = ("text", "start_ms", "end_ms", "confidence")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    START_MS_FIELD_NUMBER: _ClassVar[int]
    END_MS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    text: str
    start_ms: int
    end_ms: int
    confidence: float
    def __init__(self, text: _Optional[str] = ..., start_ms: _Optional[int] = ..., end_ms: _Optional[int] = ..., confidence: _Optional[float] = ...) -> None: ...

class Intent(_message.Message):
    __slots__ = ("name", "slots", "confidence", "values", "action", "response")
    class SlotsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    name: str
    slots: _containers.ScalarMap[str, str]
    confidence: float
    values: _containers.ScalarMap[str, str]
    action: str
    response: str
    def __init__(self, name: _Optional[str] = ..., slots: _Optional[_Mapping[str, str]] = ..., confidence: _Optional[float] = ..., values: _Optional[_Mapping[str, str]] = ..., action: _Optional[str] = ..., response: _Optional[str] = ...) -> None: ...

class SearchResult(_message.Message):
    __slots__ = ("id", "title", "snippet", "score", "url", "action", "data_json")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SNIPPET_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    DATA_JSON_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    snippet: str
    score: float
    url: str
    action: str
    data_json: str
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., snippet: _Optional[str] = ..., score: _Optional[float] = ..., url: _Optional[str] = ..., action: _Optional[str] = ..., data_json: _Optional[str] = ...) -> None: ...

class ForgetRequest(_message.Message):
    __slots__ = ("device_id", "utterance_id", "span", "everything")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_FIELD_NUMBER: _ClassVar[int]
    EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    utterance_id: str
    span: Span
    everything: Everything
    def __init__(self, device_id: _Optional[str] = ..., utterance_id: _Optional[str] = ..., span: _Optional[_Union[Span, _Mapping]] = ..., everything: _Optional[_Union[Everything, _Mapping]] = ...) -> None: ...

class Span(_message.Message):
    __slots__ = ("since_unix_us", "until_unix_us")
    SINCE_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    UNTIL_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    since_unix_us: int
    until_unix_us: int
    def __init__(self, since_unix_us: _Optional[int] = ..., until_unix_us: _Optional[int] = ...) -> None: ...

class Everything(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ForgetResponse(_message.Message):
    __slots__ = ("erased",)
    ERASED_FIELD_NUMBER: _ClassVar[int]
    erased: int
    def __init__(self, erased: _Optional[int] = ...) -> None: ...

class FeedbackRequest(_message.Message):
    __slots__ = ("device_id", "utterance_id", "feedback_id", "given_by", "given_at_unix_us", "verdict", "transcript", "result_id", "choice", "of_transcript")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_ID_FIELD_NUMBER: _ClassVar[int]
    GIVEN_BY_FIELD_NUMBER: _ClassVar[int]
    GIVEN_AT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    RESULT_ID_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    OF_TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    utterance_id: str
    feedback_id: str
    given_by: str
    given_at_unix_us: int
    verdict: Verdict
    transcript: str
    result_id: str
    choice: int
    of_transcript: str
    def __init__(self, device_id: _Optional[str] = ..., utterance_id: _Optional[str] = ..., feedback_id: _Optional[str] = ..., given_by: _Optional[str] = ..., given_at_unix_us: _Optional[int] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., transcript: _Optional[str] = ..., result_id: _Optional[str] = ..., choice: _Optional[int] = ..., of_transcript: _Optional[str] = ...) -> None: ...

class FeedbackResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("device_id", "after", "history")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    after: int
    history: str
    def __init__(self, device_id: _Optional[str] = ..., after: _Optional[int] = ..., history: _Optional[str] = ...) -> None: ...

class Watched(_message.Message):
    __slots__ = ("log", "answer")
    LOG_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    log: WatchedLog
    answer: OtherAnswer
    def __init__(self, log: _Optional[_Union[WatchedLog, _Mapping]] = ..., answer: _Optional[_Union[OtherAnswer, _Mapping]] = ...) -> None: ...

class WatchedLog(_message.Message):
    __slots__ = ("history", "is_anew")
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    IS_ANEW_FIELD_NUMBER: _ClassVar[int]
    history: str
    is_anew: bool
    def __init__(self, history: _Optional[str] = ..., is_anew: _Optional[bool] = ...) -> None: ...

class OtherAnswer(_message.Message):
    __slots__ = ("number", "device_id", "utterance_id", "answered_at_unix_us", "spoken_at_unix_us", "snr_db", "final")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_AT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    SPOKEN_AT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    SNR_DB_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    number: int
    device_id: str
    utterance_id: str
    answered_at_unix_us: int
    spoken_at_unix_us: int
    snr_db: float
    final: Final
    def __init__(self, number: _Optional[int] = ..., device_id: _Optional[str] = ..., utterance_id: _Optional[str] = ..., answered_at_unix_us: _Optional[int] = ..., spoken_at_unix_us: _Optional[int] = ..., snr_db: _Optional[float] = ..., final: _Optional[_Union[Final, _Mapping]] = ...) -> None: ...

class FetchModelRequest(_message.Message):
    __slots__ = ("device_id", "name", "version", "offset")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    name: str
    version: str
    offset: int
    def __init__(self, device_id: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[str] = ..., offset: _Optional[int] = ...) -> None: ...

class ModelPiece(_message.Message):
    __slots__ = ("offset", "data")
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    offset: int
    data: bytes
    def __init__(self, offset: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...
