"""Text classification, embeddings, generated texts and analysis with models in one file.

>>> import vdsq
>>> model = vdsq.Model("minilm.vdsq")
>>> model.encode(["one text", "another"]).shape
(2, 384)
"""

from vdsq._classifier import VDSQClassifier
from vdsq._errors import (
    BudgetError,
    Error,
    InputError,
    InternalError,
    MissingInputError,
    UsageError,
)
from vdsq._learner import Learned, Learner
from vdsq._library import __version__, library_path
from vdsq._model import Generated, Lens, Model, Plan, Scores
from vdsq._program import convert, program_path

__all__ = [
    "BudgetError",
    "Error",
    "Generated",
    "InputError",
    "InternalError",
    "Learned",
    "Learner",
    "Lens",
    "MissingInputError",
    "Model",
    "Plan",
    "Scores",
    "UsageError",
    "VDSQClassifier",
    "__version__",
    "convert",
    "library_path",
    "program_path",
]
