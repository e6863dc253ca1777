"""Choices: what a user asks for, read from text and checked against the cards.

A method's brackets hold its own hyper-parameters, training options (``lr=3e-4``), encoders
(``encoder=image:depthwise``) and terms (``loss=supcon(temperature=0.1):0.1+smooth``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mmbench.core.cards import DatasetCard, MethodCard, TermCard
from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.modality import KINDS
from mmbench.core.parameters import Parameter, bind, parameters_of
from mmbench.core.spec import Spec, parse_spec, split_outside_brackets
from mmbench.core.training import training_parameters
from mmbench.registry import Registry, load

RESERVED = ("loss", "encoder", "seeds")


@dataclass(frozen=True)
class TermChoice:
    """A term, its parameters and its weight."""

    card: TermCard
    parameters: Mapping[str, object] = field(default_factory=dict)
    weight: float = 1.0

    def __str__(self) -> str:
        inside = ",".join(f"{key}={value}" for key, value in self.parameters.items())
        return f"{self.card.name}{f'({inside})' if inside else ''}:{self.weight:g}"


@dataclass(frozen=True)
class MethodChoice:
    """A method and what was set of it.

    Attributes:
        card: of the method.
        build: keyword arguments of its builder that differ from the default.
        training: options of the trainer.
        encoders: {modality kind: encoder}.
        terms: composed onto it.
    """

    card: MethodCard
    build: Mapping[str, object] = field(default_factory=dict)
    training: Mapping[str, object] = field(default_factory=dict)
    encoders: Mapping[str, str] = field(default_factory=dict)
    terms: tuple[TermChoice, ...] = ()

    @property
    def parameters(self) -> dict[str, object]:
        """All that was set, in its one canonical form: part of a result's identity."""
        parameters = {**self.build, **self.training}
        if self.encoders:
            parameters["encoder"] = "+".join(f"{kind}:{name}" for kind, name in sorted(self.encoders.items()))
        if self.terms:
            parameters["loss"] = "+".join(sorted(map(str, self.terms)))
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
        terms=tuple(_term(registry, part, where) for part in split_outside_brackets(loss, "+")),
    )


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
    """Read ``name`` or ``name[key=value,…]``.

    Raises:
        MmbenchError: for an unknown name, parameter or value.
    """
    spec = parse_spec(text)
    card = registry.dataset(spec.name)
    return DatasetChoice(card, _dataset_parameters(card, spec.parameters))


def under_protocol(choice: DatasetChoice, protocol: str) -> DatasetChoice | str:
    """The dataset with what a protocol changes of it, or why the protocol leaves it out.

    What the user has set stays.
    """
    change = choice.card.protocols.get(protocol, {})
    if isinstance(change, str):
        return change
    return DatasetChoice(choice.card, {**change, **choice.parameters})


def _dataset_parameters(card: DatasetCard, given: Mapping[str, str]) -> dict[str, object]:
    if not given:
        return {}
    where = f"dataset {card.name!r}"
    allowed = parameters_of(load(card), where)
    return bind({name: p for name, p in allowed.items() if name not in card.preset}, given, where)


def _encoders(text: str, where: str) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for part in split_outside_brackets(text, "+"):
        kind, colon, name = part.strip().partition(":")
        if not colon or kind not in KINDS:
            raise MmbenchError(f"{where}: encoder={part} cannot be read; write encoder=KIND:NAME, KIND one of {KINDS}")
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
    parameters = parameters_of(load(card), f"term {name!r}")
    return TermChoice(card, bind(parameters, spec.parameters, f"term {name!r}"), factor)


def _after_bracket(text: str) -> tuple[str, str, str]:
    head, bracket, rest = text.rpartition(")")
    return head + bracket, ":", rest.removeprefix(":")
