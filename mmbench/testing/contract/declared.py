"""The card and the builder's signature."""

from mmbench.core.errors import MmbenchError
from mmbench.core.training import training_parameters
from mmbench.nn.models import Estimator, FusionModel
from mmbench.testing.contract.check import require
from mmbench.testing.contract.data import FEW, task_of
from mmbench.testing.contract.subject import Subject


def parameters(subject: Subject) -> None:
    """Every hyper-parameter has a type and a default within its bounds, the card's preset is made of them,
    and the builder makes a fusion model or an estimator."""
    declared = subject.parameters
    where = f"method {subject.card.name!r}"
    for name, parameter in declared.items():
        require(
            name not in training_parameters(),
            f"argument {name!r} of the builder has the name of a training option; call it something else",
        )
        if name != "modality" or not subject.card.each_modality:
            parameter.read(parameter.default, f"default of {where}")
    for name, value in subject.card.preset.items():
        if name not in declared:
            raise MmbenchError(f"{where}: preset {name!r} is no keyword argument of its builder ({sorted(declared)})")
        declared[name].read(value, f"preset of {where}")
    for mix in subject.mixes(FEW):
        built = subject.build(task_of(subject.card, mix))
        require(
            isinstance(built, FusionModel | Estimator),
            f"the builder gives a {type(built).__name__}, neither a FusionModel nor an Estimator",
        )
