"""The registry: every installed card, found through entry points; a broken plugin costs itself alone."""

import importlib
import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar, cast

import pluggy

from mmbench import hooks
from mmbench.core.cards import DatasetCard, MeasureCard, MethodCard, TermCard
from mmbench.core.errors import MmbenchError, did_you_mean

AnyCard = MethodCard | TermCard | DatasetCard | MeasureCard
Card = TypeVar("Card", MethodCard, TermCard, DatasetCard, MeasureCard)

DISABLE = "MMBENCH_DISABLE_PLUGINS"  # names of entry points, separated by commas


@dataclass
class Plugin:
    """An entry point and what became of it.

    Attributes:
        name: of the entry point.
        distribution, version: that brought it.
        status: ``ok``, ``disabled`` or ``broken`` (nothing of it, or not all of it, can be used).
        problems: what went wrong, one sentence each.
        traceback: of an import that failed.
        cards: names of what it offers, by kind.
    """

    name: str
    distribution: str
    version: str
    status: str = "ok"
    problems: list[str] = field(default_factory=list)
    traceback: str = ""
    cards: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Registry:
    """All cards by name, and the plugins that they came from."""

    methods: dict[str, MethodCard] = field(default_factory=dict)
    terms: dict[str, TermCard] = field(default_factory=dict)
    datasets: dict[str, DatasetCard] = field(default_factory=dict)
    measures: dict[str, MeasureCard] = field(default_factory=dict)
    plugins: list[Plugin] = field(default_factory=list)

    def method(self, name: str) -> MethodCard:
        return self._find("method", name, self.methods)

    def term(self, name: str) -> TermCard:
        return self._find("term", name, self.terms)

    def dataset(self, name: str) -> DatasetCard:
        return self._find("dataset", name, self.datasets)

    def _find(self, kind: str, name: str, cards: Mapping[str, Card]) -> Card:
        if name in cards:
            return cards[name]
        broken = [plugin.name for plugin in self.plugins if plugin.status == "broken"]
        hint = f" (broken plugins: {', '.join(broken)}; see `mmbench list plugins`)" if broken else ""
        raise MmbenchError(f"there is no {kind} {name!r}; {did_you_mean(name, cards)}{hint}")

    def add(self, plugin: Plugin, module: object) -> None:
        """Take in what one plugin offers; what cannot be taken is a problem of that plugin."""
        self.plugins.append(plugin)
        manager = pluggy.PluginManager(hooks.GROUP)
        manager.add_hookspecs(hooks)
        try:
            manager.register(module, name=plugin.name)
            manager.check_pending()
        except Exception as error:
            self._blame(plugin, f"its hooks do not fit: {error}")
            return
        for kind, card_type in _KINDS.items():
            try:
                offered = [card for cards in getattr(manager.hook, f"mmbench_{kind}")() for card in cards]
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a plugin may even call sys.exit
                self._blame(plugin, f"mmbench_{kind} failed: {type(error).__name__}: {error}")
                continue
            self._take(plugin, kind, card_type, offered)

    def _take(self, plugin: Plugin, kind: str, card_type: type[AnyCard], offered: Iterable[Any]) -> None:
        known: dict[str, AnyCard] = getattr(self, kind)
        for card in offered:
            if not isinstance(card, card_type):
                self._blame(plugin, f"mmbench_{kind} gave {card!r}, which is no {card_type.__name__}")
            elif card.name in known:
                owner = next(p.name for p in self.plugins if card.name in p.cards.get(kind, []))
                self._blame(plugin, f"{kind.removesuffix('s')} {card.name!r} is already offered by plugin {owner!r}")
            else:
                known[card.name] = card
                plugin.cards.setdefault(kind, []).append(card.name)

    @staticmethod
    def _blame(plugin: Plugin, problem: str) -> None:
        plugin.status = "broken"
        plugin.problems.append(problem)


_KINDS: dict[str, type[AnyCard]] = {
    "methods": MethodCard,
    "terms": TermCard,
    "datasets": DatasetCard,
    "measures": MeasureCard,
}


def discover(points: Iterable[EntryPoint], disabled: Iterable[str] = ()) -> Registry:
    """Load entry points one at a time, by name, so that the outcome depends on no other order.

    mmbench's own come first: a plugin cannot take the name of something built in.
    """
    registry = Registry()
    disabled = set(disabled)
    for point in sorted(points, key=_rank):
        plugin = Plugin(point.name, _distribution(point), point.dist.version if point.dist else "")
        if point.name in disabled:
            plugin.status = "disabled"
            registry.plugins.append(plugin)
            continue
        try:
            module = point.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            registry._blame(plugin, f"cannot be imported: {type(error).__name__}: {error}")
            plugin.traceback = traceback.format_exc()
            registry.plugins.append(plugin)
            continue
        registry.add(plugin, module)
    return registry


def _rank(point: EntryPoint) -> tuple[bool, str, str]:
    distribution = _distribution(point)
    return distribution != "mmbench", point.name, distribution


def _distribution(point: EntryPoint) -> str:
    """Its name; empty where the metadata are damaged."""
    return (point.dist.name or "") if point.dist else ""


@cache
def installed() -> Registry:
    """The registry of this process."""
    disabled = [name.strip() for name in os.environ.get(DISABLE, "").split(",") if name.strip()]
    return discover(entry_points(group=hooks.GROUP), disabled)


def load(card: AnyCard) -> Callable[..., Any]:
    """The callable that a card names. This imports heavy code.

    Raises:
        MmbenchError: if it is not there; an error inside the plugin's module passes as it is.
    """
    module_name, _, attribute = card.build.partition(":")
    module = importlib.import_module(module_name)
    if not hasattr(module, attribute):
        raise MmbenchError(f"{card.name}: {module_name} has no {attribute!r}, which its card names")
    return cast(Callable[..., Any], getattr(module, attribute))
