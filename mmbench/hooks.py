"""Hook specifications: the one door through which methods, terms, datasets and measures come in.

A plugin is a distribution with an entry point in the group ``mmbench`` that names a module (or
object) with some of these, each marked ``@mmbench.hookimpl``. That module must be light: it is
imported by every command, so it names heavy code by ``"package.module:callable"`` alone.
"""

import pluggy

from mmbench.core.cards import DatasetCard, MeasureCard, MethodCard, TermCard

GROUP = "mmbench"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def mmbench_methods() -> list[MethodCard]:
    """Cards of fusion methods."""
    raise NotImplementedError


@hookspec
def mmbench_terms() -> list[TermCard]:
    """Cards of losses, target rules and augmentations that compose onto any fusion model."""
    raise NotImplementedError


@hookspec
def mmbench_datasets() -> list[DatasetCard]:
    """Cards of datasets."""
    raise NotImplementedError


@hookspec
def mmbench_measures() -> list[MeasureCard]:
    """Cards of measures."""
    raise NotImplementedError
