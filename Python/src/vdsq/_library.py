"""libvdsq by ctypes, which releases the interpreter's lock during every call."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from ctypes import (
    POINTER,
    Structure,
    c_char,
    c_char_p,
    c_double,
    c_float,
    c_int32,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path
from typing import Any, TypeVar

from numpy.typing import NDArray

from vdsq._errors import Error, error

_ABI = 1


def library_path() -> str:
    """The path of libvdsq, for programs in other languages, and for SQLite's ``load_extension``."""
    return os.environ.get("VDSQ_LIBRARY") or str(Path(__file__).parent / "lib" / "libvdsq.so.1")


class RunOptions(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("threads", c_uint32),
        ("concurrency", c_uint32),
        ("precision", c_uint32),
        ("memory_policy", c_uint32),
        ("memory_budget", c_uint64),
        ("cuts_for_budget", c_uint32),
        ("maximum_tokens", c_uint32),
        ("batch", c_uint32),
        ("dimensions", c_uint32),
        ("prompt", c_char_p),
    ]


class TextInfo(Structure):
    _fields_ = [("tokens", c_uint32), ("flags", c_uint32)]


class PlanPart(Structure):
    _fields_ = [("name", c_char * 24), ("bytes", c_uint64)]


class PlanResult(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("memory_policy", c_uint32),
        ("maximum_tokens", c_uint32),
        ("peak_bytes", c_uint64),
        ("part_count", c_size_t),
        ("parts", PlanPart * 16),
    ]


class Label(Structure):
    _fields_ = [("name", c_char_p), ("words", POINTER(c_char_p)), ("word_count", c_size_t)]


class TrainingOptions(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("run", POINTER(RunOptions)),
        ("method", c_char_p),
        ("freezes_encoder", c_uint32),
        ("is_multi_label", c_uint32),
        ("label_list", c_char_p),
        ("labels", POINTER(Label)),
        ("label_count", c_size_t),
        ("out_of_scope", c_char_p),
        ("text_template", c_char_p),
        ("seed", c_uint64),
        ("unlabelled_texts", POINTER(c_char_p)),
        ("unlabelled_count", c_size_t),
    ]


class ClassifierOptions(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("run", POINTER(RunOptions)),
        ("adapter", c_void_p),
        ("label_list", c_char_p),
        ("labels", POINTER(Label)),
        ("label_count", c_size_t),
        ("out_of_scope", c_char_p),
        ("text_template", c_char_p),
        ("temperature", c_float),
        ("uses_entailment", c_uint32),
        ("is_multi_label", c_uint32),
        ("reference_texts", POINTER(c_char_p)),
        ("reference_count", c_size_t),
    ]


class LearnerOptions(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("run", POINTER(RunOptions)),
        ("label_list", c_char_p),
        ("labels", POINTER(Label)),
        ("label_count", c_size_t),
        ("out_of_scope", c_char_p),
        ("text_template", c_char_p),
    ]


class LearnedResult(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("predicted", c_char_p),
        ("probability", c_float),
        ("count", c_size_t),
    ]


class Predictions(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("capacity", c_size_t),
        ("top", c_size_t),
        ("labels", c_void_p),
        ("probabilities", c_void_p),
        ("scores", c_void_p),
        ("given", c_void_p),
        ("info", c_void_p),
    ]


class AnalyzerShape(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("vocabulary", c_size_t),
        ("layers", c_size_t),
        ("hidden", c_size_t),
        ("maximum_tokens", c_size_t),
    ]


class LensBuffers(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("capacity", c_size_t),
        ("top", c_size_t),
        ("temperature", c_float),
        ("text_ids", c_void_p),
        ("ids", c_void_p),
        ("values", c_void_p),
        ("probabilities", c_void_p),
        ("entropies", c_void_p),
        ("divergences", c_void_p),
    ]


class GenerationOptions(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("maximum_tokens", c_uint32),
        ("temperature", c_float),
        ("top_k", c_uint32),
        ("top_p", c_float),
        ("min_p", c_float),
        ("repetition_penalty", c_float),
        ("seed", c_uint64),
        ("stops", POINTER(c_char_p)),
        ("stop_count", c_size_t),
        ("choices", POINTER(c_char_p)),
        ("choice_count", c_size_t),
        ("regex", c_char_p),
    ]


class GeneratedResult(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("finish", c_uint32),
        ("prompt_tokens", c_uint32),
        ("tokens", c_uint32),
        ("log_probability", c_double),
    ]


class Message(Structure):
    _fields_ = [("role", c_char_p), ("content", c_char_p)]


class TextScore(Structure):
    _fields_ = [("log_probability", c_double), ("tokens", c_uint32), ("flags", c_uint32)]


# Receives a part of a text: its bytes, their number, and a context.
TextCallback = ctypes.CFUNCTYPE(c_int32, c_void_p, c_size_t, c_void_p)

_TEXTS = [POINTER(c_char_p), POINTER(c_size_t), c_size_t]
_HANDLE = POINTER(c_void_p)
_GENERATING = [POINTER(GenerationOptions), TextCallback, c_void_p, POINTER(GeneratedResult)]

# Name, result and arguments of the functions of vdsq.h that are used here. A status is checked.
_STATUS = c_int32
_FUNCTIONS: list[tuple[str, Any, list[Any]]] = [
    ("abi_version", c_uint32, []),
    ("version", c_char_p, []),
    ("last_error", c_char_p, []),
    ("model_open", _STATUS, [c_char_p, _HANDLE]),
    ("model_close", None, [c_void_p]),
    ("model_plan", _STATUS, [c_void_p, POINTER(RunOptions), POINTER(PlanResult)]),
    ("embedder_open", _STATUS, [c_void_p, POINTER(RunOptions), _HANDLE]),
    ("embedder_close", None, [c_void_p]),
    ("embedder_dimensions", c_size_t, [c_void_p]),
    ("embedder_maximum_tokens", c_size_t, [c_void_p]),
    ("embed", _STATUS, [c_void_p, *_TEXTS, c_void_p, c_size_t, c_void_p]),
    (
        "tokens",
        _STATUS,
        [c_void_p, c_char_p, c_size_t, c_void_p, c_size_t, POINTER(c_size_t)],
    ),
    ("token_text", _STATUS, [c_void_p, c_int32, c_char_p, c_size_t, POINTER(c_size_t)]),
    (
        "adapter_train",
        _STATUS,
        [c_void_p, POINTER(TrainingOptions), *_TEXTS[:2], POINTER(c_char_p), c_size_t, _HANDLE],
    ),
    ("adapter_open", _STATUS, [c_void_p, c_char_p, _HANDLE]),
    ("adapter_write", _STATUS, [c_void_p, c_char_p, c_uint32]),
    ("adapter_close", None, [c_void_p]),
    ("classifier_open", _STATUS, [c_void_p, POINTER(ClassifierOptions), _HANDLE]),
    ("classifier_close", None, [c_void_p]),
    ("classifier_label_count", c_size_t, [c_void_p]),
    ("classifier_label", c_char_p, [c_void_p, c_size_t]),
    ("classifier_is_multi_label", c_uint32, [c_void_p]),
    ("classify", _STATUS, [c_void_p, *_TEXTS, POINTER(Predictions)]),
    ("learner_open", _STATUS, [c_void_p, c_char_p, POINTER(LearnerOptions), _HANDLE]),
    ("learner_close", None, [c_void_p]),
    ("learn", _STATUS, [c_void_p, c_char_p, c_size_t, c_char_p, POINTER(LearnedResult)]),
    ("learner_undo", _STATUS, [c_void_p, POINTER(c_char_p)]),
    ("learner_forget", _STATUS, [c_void_p, c_char_p]),
    ("reranker_open", _STATUS, [c_void_p, POINTER(RunOptions), _HANDLE]),
    ("reranker_close", None, [c_void_p]),
    ("rerank", _STATUS, [c_void_p, c_char_p, c_size_t, *_TEXTS, c_void_p]),
    ("generator_open", _STATUS, [c_void_p, POINTER(RunOptions), _HANDLE]),
    ("generator_close", None, [c_void_p]),
    ("generate", _STATUS, [c_void_p, c_char_p, c_size_t, *_GENERATING]),
    ("generate_answer", _STATUS, [c_void_p, POINTER(Message), c_size_t, *_GENERATING]),
    ("scorer_open", _STATUS, [c_void_p, POINTER(RunOptions), _HANDLE]),
    ("scorer_close", None, [c_void_p]),
    ("score", _STATUS, [c_void_p, *_TEXTS[:2], *_TEXTS, POINTER(TextScore)]),
    ("analyzer_open", _STATUS, [c_void_p, POINTER(RunOptions), _HANDLE]),
    ("analyzer_close", None, [c_void_p]),
    ("analyzer_get_shape", _STATUS, [c_void_p, POINTER(AnalyzerShape)]),
    ("vocabulary_scores", _STATUS, [c_void_p, c_uint32, *_TEXTS, c_void_p, c_size_t]),
    (
        "hidden_states",
        _STATUS,
        [c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t, POINTER(c_size_t)],
    ),
    (
        "lens_run",
        _STATUS,
        [c_void_p, c_char_p, c_size_t, c_uint32, POINTER(LensBuffers), POINTER(c_size_t)],
    ),
]


def _load() -> dict[str, Any]:
    library = ctypes.CDLL(library_path())
    functions: dict[str, Any] = {}
    for name, result, arguments in _FUNCTIONS:
        function = getattr(library, f"vdsq_{name}")
        function.restype, function.argtypes = result, arguments
        functions[name] = function
    if functions["abi_version"]() < _ABI:
        raise ImportError(f"{library_path()}: the library is older than this package")
    return functions


_functions = _load()

__version__: str = _functions["version"]().decode()


def query(name: str, *arguments: Any) -> Any:
    """Calls a function that returns a value."""
    return _functions[name](*arguments)


def call(name: str, *arguments: Any) -> None:
    """Calls a function that returns a status, and raises its error."""
    status = _functions[name](*arguments)
    if status != 0:
        raise last_error(status)


def last_error(status: int) -> Error:
    """The error of this thread's last call."""
    return error(status, _functions["last_error"]().decode(errors="replace"))


S = TypeVar("S", bound=Structure)


def sized(kind: type[S], **members: Any) -> S:
    """A structure that begins with its size."""
    return kind(struct_size=ctypes.sizeof(kind), **members)


def encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


class Texts:
    """UTF-8 of texts with their lengths, in the form of the library."""

    def __init__(self, texts: Sequence[str]) -> None:
        # A text of another type is an error of Python here.
        bytes_ = [str.encode(text) for text in texts]
        self.count = len(bytes_)
        self.pointers = (c_char_p * self.count)(*bytes_)
        self.lengths = (c_size_t * self.count)(*map(len, bytes_))

    @property
    def arguments(self) -> tuple[Any, Any, int]:
        return self.pointers, self.lengths, self.count


def strings(values: Sequence[str]) -> Any:
    """An array of strings that end with a NUL."""
    for value in values:
        if "\0" in value:
            raise ValueError("a name or a text of this kind cannot have a NUL")
    return (c_char_p * len(values))(*[value.encode() for value in values])


def address(array: NDArray[Any]) -> int:
    """Where an array's elements are."""
    return int(array.ctypes.data)


class Handle:
    """A handle of the library, which is closed when nobody refers to it any more.

    It belongs to the process that opened it: after a fork, a child opens its own.
    """

    def __init__(self, kind: str, *arguments: Any) -> None:
        self._kind = kind
        self._process = os.getpid()
        value = c_void_p()
        call(f"{kind}_open", *arguments, ctypes.byref(value))
        self.value = value

    @classmethod
    def made(cls, kind: str, make: Callable[[Any], None]) -> Handle:
        """A handle that another function than ``..._open`` makes."""
        handle = cls.__new__(cls)
        handle._kind = kind
        handle._process = os.getpid()
        handle.value = c_void_p()
        make(ctypes.byref(handle.value))
        return handle

    @property
    def is_own(self) -> bool:
        """Whether this process opened it."""
        return self._process == os.getpid()

    def __del__(self) -> None:
        # The threads behind a parent's handle do not exist in a child. At the interpreter's end
        # modules may be gone.
        if getattr(self, "value", None) and os is not None and self.is_own:
            _functions[f"{self._kind}_close"](self.value)
