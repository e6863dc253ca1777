"""mmbench: a benchmark suite for multimodal fusion. These names are what a plugin may import.

Nothing is imported until it is used, so that ``from mmbench import MethodCard`` costs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmbench.core.cards import DatasetCard, MeasureCard, MethodCard, TermCard
    from mmbench.core.errors import MmbenchError
    from mmbench.core.modality import Kind, Modality
    from mmbench.core.parameters import Range
    from mmbench.core.scores import Score
    from mmbench.core.task import BERNOULLI, Task, TaskKind
    from mmbench.core.training import Stage, Training
    from mmbench.data.source import Source
    from mmbench.hooks import hookimpl
    from mmbench.measures.evaluation import Evaluation
    from mmbench.measures.subject import Findings, Subject
    from mmbench.nn.encoders import Encoder, Encoding, ModalityEncoders, make_encoder
    from mmbench.nn.functional import (
        attention,
        frozen,
        log_probabilities,
        masked_mean,
        prior,
        probabilities,
        scale_gradient,
    )
    from mmbench.nn.heads import Criterion, Head
    from mmbench.nn.models import Estimator, Fitted, FusionModel, Run, Term
    from mmbench.nn.records import Batch, Encoded, FusionOutput, Inputs, Split

__version__ = "0.1.0"

_HOMES = {
    "mmbench.core.cards": ("DatasetCard", "MeasureCard", "MethodCard", "TermCard"),
    "mmbench.core.errors": ("MmbenchError",),
    "mmbench.core.modality": ("Kind", "Modality"),
    "mmbench.core.parameters": ("Range",),
    "mmbench.core.scores": ("Score",),
    "mmbench.core.task": ("BERNOULLI", "Task", "TaskKind"),
    "mmbench.core.training": ("Stage", "Training"),
    "mmbench.data.source": ("Source",),
    "mmbench.hooks": ("hookimpl",),
    "mmbench.measures.evaluation": ("Evaluation",),
    "mmbench.measures.subject": ("Findings", "Subject"),
    "mmbench.nn.encoders": ("Encoder", "Encoding", "ModalityEncoders", "make_encoder"),
    "mmbench.nn.functional": (
        "attention",
        "frozen",
        "log_probabilities",
        "masked_mean",
        "prior",
        "probabilities",
        "scale_gradient",
    ),
    "mmbench.nn.heads": ("Criterion", "Head"),
    "mmbench.nn.models": ("Estimator", "Fitted", "FusionModel", "Run", "Term"),
    "mmbench.nn.records": ("Batch", "Encoded", "FusionOutput", "Inputs", "Split"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BERNOULLI",
    "Batch",
    "Criterion",
    "DatasetCard",
    "Encoded",
    "Encoder",
    "Encoding",
    "Estimator",
    "Evaluation",
    "Findings",
    "Fitted",
    "FusionModel",
    "FusionOutput",
    "Head",
    "Inputs",
    "Kind",
    "MeasureCard",
    "MethodCard",
    "MmbenchError",
    "Modality",
    "ModalityEncoders",
    "Range",
    "Run",
    "Score",
    "Source",
    "Split",
    "Stage",
    "Subject",
    "Task",
    "TaskKind",
    "Term",
    "TermCard",
    "Training",
    "attention",
    "frozen",
    "hookimpl",
    "log_probabilities",
    "make_encoder",
    "masked_mean",
    "prior",
    "probabilities",
    "scale_gradient",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'mmbench' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
