"""Tables of records for ``mmbench results``."""

import re
from collections.abc import Iterator
from pathlib import Path

from mmbench.core.errors import MmbenchError
from mmbench.core.spec import Spec, split_outside_brackets
from mmbench.registry import installed
from mmbench.results import measurements, store
from mmbench.results.provenance import core_source, method_source
from mmbench.results.schema import Identity, Result


def records_text(out: Path) -> str:
    """One line a method and dataset: how many records of which status, and how many are stale."""
    from tabulate import tabulate

    rows: dict[tuple[str, str, str], dict[str, int]] = {}
    problems = []
    for path, record in _records(out):
        if isinstance(record, str):
            problems.append(record)
            continue
        identity = record.identity
        dataset = Spec.of(identity.dataset, identity.dataset_parameters)
        row = rows.setdefault((path.parts[-4], str(dataset), str(_spec(identity))), {})
        state = "stale" if is_stale(record.identity) else record.outcome.status
        row[state] = row.get(state, 0) + 1
    table = [(*names, ", ".join(f"{n} {state}" for state, n in states.items())) for names, states in rows.items()]
    if not table and not problems:
        return f"no records below {out}"
    return "\n".join([tabulate(table, ["protocol", "dataset", "method", "records"]), *problems])


def failures_text(out: Path) -> str:
    """Every record without a score, and every measure that went wrong: where, what happened, the traceback."""
    parts = []
    for path, record in _records(out):
        if isinstance(record, str):
            parts.append(record)
        elif not record.ok:
            parts.append(_told(path, record.outcome.status, record.outcome.message, record.outcome.traceback))
        else:
            parts += _flaws(path)
    return "\n\n".join(parts) or f"no failures below {out}"


def _flaws(record: Path) -> list[str]:
    """Measures of a cell that went wrong."""
    try:
        found = measurements.read(record)
    except MmbenchError as error:
        return [str(error)]
    entries = found.measures.items() if found else ()
    path = measurements.path_of(record)
    return [
        _told(path, f"measure {spec}", entry.error, entry.traceback)
        for spec, entry in entries
        if entry.error and not entry.to_come
    ]


def _told(path: Path, what: str, message: str, traceback: str) -> str:
    lines = [str(path), f"  {what}: {message}", *(f"    {line}" for line in traceback.rstrip().splitlines())]
    return "\n".join(lines)


def is_stale(identity: Identity) -> bool:
    """Whether the source that computes such a score now differs from what made this one."""
    if identity.core_source != core_source():
        return True
    registry = installed()
    card = registry.methods.get(identity.method)
    composed = (str(identity.parameters.get("loss", "")), identity.augment)
    parts = [part for text in composed for part in split_outside_brackets(text, "+")]
    names = [re.split(r"[(:]", part)[0] for part in parts]
    terms = [registry.terms[name] for name in names if name in registry.terms]
    if card is None or len(terms) < len(names):
        return False  # of a plugin that is not installed, nothing can be said
    return method_source(card, terms, registry.datasets.get(identity.dataset)) != identity.method_source


def _spec(identity: Identity) -> Spec:
    return Spec.of(identity.method, identity.parameters)


def _records(out: Path) -> Iterator[tuple[Path, Result | str]]:
    """Each record, or what is wrong with its file."""
    for path in store.records(out):
        try:
            yield path, store.read(path)
        except MmbenchError as error:
            yield path, str(error)
