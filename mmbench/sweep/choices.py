"""Choices: what a user asks for, read from text and checked against the cards.

A method's brackets hold its own hyper-parameters, training options (``lr=3e-4``), encoders
(``encoder=image:depthwise``) and terms (``loss=supcon(temperature=0.1):0.1+smooth``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from mmbench.core.cards import DatasetCard, MethodCard, TermCard
from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.modality import KINDS
from mmbench.core.parameters import Parameter, bind, parameters_of
from mmbench.core.spec import Spec, is_place, parse_spec, split_outside_brackets
from mmbench.core.task import Task
from mmbench.core.training import training_parameters
from mmbench.data.cache import find
from mmbench.data.locate import DATA, missing
from mmbench.registry import Registry, load

CARD_FILE = "mmbench.toml"  # of a folder with data of one's own
RESERVED = ("loss", "encoder", "seeds")


@dataclass(frozen=True)
class TermChoice:
    """A term, its parameters and its weight."""

    card: TermCard
    parameters: Mapping[str, object] = field(default_factory=dict)
    weight: float = 1.0

    @property
    def unweighted(self) -> str:
        """``name(key=value,…)``."""
        inside = ",".join(f"{key}={value}" for key, value in self.parameters.items())
        return f"{self.card.name}({inside})" if inside else self.card.name

    def refuses(self, task: Task) -> str:
        """Why this term cannot be composed onto a method of a task; empty if it can."""
        if task.kind in self.card.tasks:
            return ""
        return f"{self.unweighted} is for {', '.join(self.card.tasks)}, not for {task.kind}"

    def __str__(self) -> str:
        return f"{self.unweighted}:{self.weight:g}"


@dataclass(frozen=True)
class MethodChoice:
    """A method and what was set of it.

    Attributes:
        card: of the method.
        build: keyword arguments of its builder that differ from the default.
        training: options of the trainer.
        encoders: {modality kind: encoder}.
        terms: composed onto it, in one canonical order: augmentations act one after the other.
    """

    card: MethodCard
    build: Mapping[str, object] = field(default_factory=dict)
    training: Mapping[str, object] = field(default_factory=dict)
    encoders: Mapping[str, str] = field(default_factory=dict)
    terms: tuple[TermChoice, ...] = ()

    def refuses(self, task: Task) -> str:
        """Why what was composed onto the method cannot be on a task, or not with any effect; empty if it can."""
        lacking = sorted(set(self.encoders) - {modality.kind for modality in task.modalities})
        if lacking:
            return f"encoder={lacking[0]}:{self.encoders[lacking[0]]} has no effect: no modality is {lacking[0]}"
        return next((said for term in self.terms if (said := term.refuses(task))), "")

    @property
    def parameters(self) -> dict[str, object]:
        """All that was set, in its one canonical form: part of a result's identity."""
        parameters = {**self.build, **self.training}
        if self.encoders:
            parameters["encoder"] = "+".join(f"{kind}:{name}" for kind, name in sorted(self.encoders.items()))
        if self.terms:
            parameters["loss"] = "+".join(map(str, self.terms))
        return parameters

    @property
    def spec(self) -> Spec:
        return Spec.of(self.card.name, self.parameters)


@dataclass(frozen=True)
class DatasetChoice:
    """A dataset and the parameters of it that differ from the default, a protocol's included."""

    card: DatasetCard
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def spec(self) -> Spec:
        return Spec.of(self.card.name, self.parameters)


def choose_method(registry: Registry, text: str) -> MethodChoice:
    """Read ``name`` or ``name[key=value,…]``. The builder is imported for brackets alone.

    Raises:
        MmbenchError: for an unknown name, parameter or value.
    """
    spec = parse_spec(text)
    card = registry.method(spec.name)
    if not spec.parameters:
        return MethodChoice(card)
    where = f"method {card.name!r}"
    common, own = training_parameters(), dict(spec.parameters)
    encoder, loss = own.pop("encoder", ""), own.pop("loss", "")
    training = {key: own.pop(key) for key in list(own) if key in common}
    allowed = builder_parameters(load(card), where)
    preset_away = {name: value for name, value in allowed.items() if name not in card.preset}
    unknown = [key for key in own if key not in preset_away]
    if unknown:
        every = [*preset_away, *common, "encoder", "loss"]
        raise MmbenchError(f"{where} has no parameter {unknown[0]!r}; {did_you_mean(unknown[0], every)}")
    return MethodChoice(
        card,
        build=bind(preset_away, own, where),
        # a training option is kept even where it equals the suite's default: the method's own may differ
        training={key: common[key].read(value, where) for key, value in sorted(training.items())},
        encoders=_encoders(encoder, where),
        terms=tuple(sorted(choose_terms(registry, loss, where), key=str)),
    )


def choose_terms(registry: Registry, text: str, where: str) -> tuple[TermChoice, ...]:
    """Read ``name``, ``name:weight`` or ``name(key=value,…):weight``, several joined by ``+``.

    Raises:
        MmbenchError: for an unknown name, parameter or value; ``where`` begins the message.
    """
    terms = tuple(_term(registry, part, where) for part in split_outside_brackets(text, "+"))
    twice = [term for i, term in enumerate(terms) if term in terms[:i]]
    if twice:
        raise MmbenchError(f"{where}: {twice[0].unweighted} is given twice")
    return terms


def builder_parameters(build: Callable[..., object], where: str) -> dict[str, Parameter]:
    """A builder's own parameters, none of which may take a reserved name."""
    own = parameters_of(build, where)
    taken = sorted(set(own) & {*training_parameters(), *RESERVED})
    if taken:
        raise MmbenchError(
            f"{where}: its builder's argument {taken[0]!r} has a name that means the same for every method"
        )
    return own


def choose_dataset(registry: Registry, text: str) -> DatasetChoice:
    """Read ``name`` or ``name[key=value,…]``; or the place of a dataset: ``./folder``, ``hf:ORGANISATION/NAME``.

    Raises:
        MmbenchError: for an unknown name, parameter or value, or data whose card file is wrong.
    """
    spec = parse_spec(text)
    if is_place(spec.name):
        return _dataset_at(registry, spec)
    if spec.name not in registry.datasets and (Path(spec.name) / CARD_FILE).is_file():
        raise MmbenchError(
            f"there is no installed dataset {spec.name!r}; for the folder of that name, write ./{spec.name}"
        )
    card = registry.dataset(spec.name)
    return DatasetChoice(card, _dataset_parameters(card, spec.parameters))


def _dataset_at(registry: Registry, spec: Spec) -> DatasetChoice:
    from mmbench.data.own.place import dataset_at  # most sweeps have no use for it

    card, parameters = dataset_at(spec)
    if card.name in registry.datasets:
        raise MmbenchError(
            f"{spec}: its name {card.name!r} is that of an installed dataset; give it another in its card"
        )
    return DatasetChoice(card, parameters)


def under_protocol(choice: DatasetChoice, protocol: str) -> DatasetChoice | str:
    """The dataset with what a protocol changes of it, or why the protocol leaves it out.

    What the user has set stays.
    """
    change = choice.card.protocols.get(protocol, {})
    if isinstance(change, str):
        return change
    return DatasetChoice(choice.card, {**change, **choice.parameters})


NO_FILES = f"their files are not here: `mmbench data fetch DATASET` gets them, or {DATA} names a folder that has them"


def lacks_files(choice: DatasetChoice) -> str:
    """Why a dataset cannot be made on this machine, and what to do; empty if it can, or has been."""
    if not choice.card.collections or find(choice.card, choice.parameters):
        return ""
    return missing(choice.card.collections)


def _dataset_parameters(card: DatasetCard, given: Mapping[str, str]) -> dict[str, object]:
    if not given:
        return {}
    where = f"dataset {card.name!r}"
    allowed = parameters_of(load(card), where)
    return bind({name: p for name, p in allowed.items() if name not in card.preset}, given, where)


def _encoders(text: str, where: str) -> dict[str, str]:
    if not text:
        return {}
    from mmbench.nn.encoders import ENCODERS  # it comes with torch, which a plain name does without

    chosen: dict[str, str] = {}
    for part in split_outside_brackets(text, "+"):
        kind, colon, name = part.strip().partition(":")
        if not colon or kind not in KINDS:
            raise MmbenchError(f"{where}: encoder={part} cannot be read; write encoder=KIND:NAME, KIND one of {KINDS}")
        known = [name for name in ENCODERS[kind] if name]
        if name not in known:
            hint = did_you_mean(name, known) if known else "it has the default one alone"
            raise MmbenchError(f"{where}: no {kind} encoder is called {name!r}; {hint}")
        chosen[kind] = name
    return chosen


def _term(registry: Registry, text: str, where: str) -> TermChoice:
    """``name``, ``name:weight`` or ``name(key=value,…):weight``."""
    head, _, weight = text.strip().partition(":") if ")" not in text else _after_bracket(text.strip())
    name, _, inside = head.partition("(")
    spec = parse_spec(f"{name}[{inside.removesuffix(')')}]" if inside else name)
    card = registry.term(spec.name)
    try:
        factor = float(weight or 1)
    except ValueError:
        raise MmbenchError(f"{where}: weight {weight!r} of loss={name} is no number") from None
    if not (isfinite(factor) and factor > 0):
        raise MmbenchError(f"{where}: weight {weight} of loss={name} is not allowed; it is a number above 0")
    parameters = parameters_of(load(card), f"term {name!r}")
    return TermChoice(card, bind(parameters, spec.parameters, f"term {name!r}"), factor)


def _after_bracket(text: str) -> tuple[str, str, str]:
    head, bracket, rest = text.rpartition(")")
    return head + bracket, ":", rest.removeprefix(":")
