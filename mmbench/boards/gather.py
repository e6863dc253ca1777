"""Gathering: the records of one dataset's folder, put into rows that never mix two identities."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from statistics import fmean

from mmbench.boards.budget import UNTUNED, Budget
from mmbench.core.errors import MmbenchError
from mmbench.core.scores import TASK_SCORES, Score
from mmbench.core.spec import Spec
from mmbench.results import store
from mmbench.results.schema import Identity, Plain, Result, TaskRecord

ARITHMETIC = ("device", "dtype", "threads", "compiled", "deterministic")
OF_A_ROW = ("method", "parameters", "tuned", "trials", "sampler", "method_source", *ARITHMETIC)
UNIMODAL = "unimodal"  # the method whose rows see one modality alone
CEILING = "ceiling"  # the role of rows that show what is possible and do not compete
REFERENCES = ("floor", CEILING)
SHORT = 8  # digits of a hash in a sentence


@dataclass(frozen=True)
class Row:
    """All seeds of one method under one identity: what a board shows as one line.

    Attributes:
        id: hash of the identity without the seed.
        label: the method's spec, with what sets it apart from other rows of the same spec.
        results: finished records by seed.
        failed: the others.
        paths: of the finished records' files, in the same order.
    """

    id: str
    label: str
    results: tuple[Result, ...]
    failed: tuple[Result, ...]
    paths: tuple[Path, ...]

    @property
    def any(self) -> Result:
        """One of its records: for what they all share."""
        return (self.results or self.failed)[0]

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(result.identity.seed for result in self.results)

    @property
    def budget(self) -> Budget:
        """What was spent on its hyper-parameters."""
        return Budget.of(self.any.identity)

    @property
    def untunable(self) -> bool:
        """Whether it stands beside the rows of every budget: a floor or ceiling that the suite's trainer does not
        train, so that a search would find nothing in it."""
        trained = any(result.cost.epochs is not None for result in self.results)
        return bool(self.results) and self.any.role in REFERENCES and not trained and not self.budget.trials

    @property
    def statuses(self) -> dict[str, int]:
        """How many seeds failed, by status."""
        return dict(sorted(Counter(result.outcome.status for result in self.failed).items()))

    def values(self, score: str) -> list[float]:
        """A score of every seed that has it."""
        return [result.scores[score] for result in self.results if score in result.scores]

    def validation(self, score: str) -> float | None:
        """Mean over seeds on the validation split."""
        values = [result.validation[score] for result in self.results if score in result.validation]
        return fmean(values) if values else None


@dataclass(frozen=True)
class LeftOut:
    """Records that differ from the newest in what they were measured on, and so stand in no row.

    Attributes:
        differs: what of the identity differs, with its value.
        methods: specs of the methods.
        records: how many.
    """

    differs: str
    methods: tuple[str, ...]
    records: int


@dataclass(frozen=True)
class Gathering:
    """What one dataset's folder holds.

    Attributes:
        folder: ``<out>/<protocol>/<dataset>``.
        newest: the record that says which data and which source are shown.
        rows: in the order of their labels.
        left_out: records of other data, source or protocol version.
        unreadable: {file: what is wrong with it}.
        budget: of the rows, which are compared with one another alone.
        alone: whether the folder has rows of no other budget.
    """

    folder: Path
    newest: Result
    rows: tuple[Row, ...]
    left_out: tuple[LeftOut, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    budget: Budget = UNTUNED
    alone: bool = True

    @property
    def task(self) -> TaskRecord:
        return self.newest.task

    @property
    def dataset(self) -> Spec:
        return spec(self.newest.identity.dataset, self.newest.identity.dataset_parameters)

    @property
    def score(self) -> Score:
        """The main metric."""
        return score_named(self.task.metric, self.task.higher_is_better)

    @property
    def records(self) -> int:
        """Finished records in all rows."""
        return sum(len(row.results) for row in self.rows)

    @property
    def chance(self) -> float | None:
        """Of the main metric, as the records state it."""
        return self._stated("chance")

    @property
    def ceiling(self) -> float | None:
        """Of the main metric, as the records state it."""
        return self._stated("ceiling")

    def _stated(self, bound: str) -> float | None:
        values = (getattr(result, bound) for row in self.rows for result in row.results)
        return next((value for value in values if value is not None), None)

    @property
    def best_unimodal(self) -> Row | None:
        """The unimodal row with the best mean on the validation split: the test split has no say."""
        sign = 1 if self.score.higher_is_better else -1
        best: tuple[float, Row] | None = None
        for row in self.rows:
            value = row.validation(self.task.metric) if row.any.identity.method == UNIMODAL else None
            if value is not None and (best is None or sign * value > best[0]):
                best = (sign * value, row)
        return best[1] if best else None

    @cached_property
    def digest(self) -> str:
        """Hash of every finished record's identity and numbers: what an analysis was made from."""
        shown = {"key", "scores", "validation", "chance", "ceiling", "role"}
        lines = sorted(result.model_dump_json(include=shown) for row in self.rows for result in row.results)
        return sha256("\n".join(lines).encode()).hexdigest()[:16]


def score_named(name: str, higher_is_better: bool = True) -> Score:
    """A score's direction and range; plugins' scores are known by name alone."""
    return TASK_SCORES.get(name) or Score(name, name.replace("_", " "), higher_is_better)


def spec(name: str, parameters: Mapping[str, Plain]) -> Spec:
    """As a user would write it."""
    return Spec.of(name, parameters)


def dataset_folders(out: Path) -> list[Path]:
    """Folders of a dataset under one protocol, below ``out``."""
    return sorted({path.parents[1] for path in store.records(out)})


def gather(folder: Path) -> tuple[list[Gathering], dict[str, str]]:
    """Read all records of a dataset's folder.

    Returns:
        A gathering for each budget of its rows, the default one first (none if no record can be read), and what
        is wrong with files.
    """
    read: dict[str, tuple[Path, Result]] = {}
    unreadable: dict[str, str] = {}
    for path in store.records(folder):
        name = path.relative_to(folder).as_posix()
        try:
            result = _checked(path)
        except (MmbenchError, OSError, UnicodeDecodeError) as error:
            unreadable[name] = " ".join(str(error).replace(str(path), "the file").split())
            continue
        if result.key in read:
            unreadable[name] = f"holds the same cell as {read[result.key][0].relative_to(folder).as_posix()}"
        else:
            read[result.key] = (path, result)
    if not read:
        return [], unreadable
    found = list(read.values())
    newest = max((result for _, result in found), key=lambda r: (r.ok, r.provenance.created, r.key))
    shared = _shared(newest.identity)
    shown = [(path, result) for path, result in found if _shared(result.identity) == shared]
    others = [result for _, result in found if _shared(result.identity) != shared]
    whole = Gathering(folder, newest, _rows(shown), _left_out(others, newest), unreadable)
    return _by_budget(whole), unreadable


def _by_budget(whole: Gathering) -> list[Gathering]:
    """The same, budget by budget, with what cannot be tuned beside the rows of each."""
    tuned = sorted({row.budget for row in whole.rows if row.budget.trials})
    plain = [row for row in whole.rows if not row.budget.trials]
    if not tuned:
        return [whole]
    shared = [row for row in plain if row.untunable]
    groups = {UNTUNED: plain} if len(plain) > len(shared) else {}
    groups.update({budget: [*shared, *(row for row in whole.rows if row.budget == budget)] for budget in tuned})
    parts = [
        replace(whole, rows=_sorted(rows), budget=budget, alone=len(groups) == 1) for budget, rows in groups.items()
    ]
    return [parts[0], *(replace(part, left_out=(), unreadable={}) for part in parts[1:])]  # which is said once


def _checked(path: Path) -> Result:
    """A record whose key is that of its identity."""
    result = store.read(path)
    if result.key != result.identity.key:
        raise MmbenchError("the key is not that of the identity: the record was changed after it was written")
    return result


def _shared(identity: Identity) -> dict[str, object]:
    """What all rows of a board have in common: the data, the code that scores, the protocol."""
    return identity.model_dump(exclude={*OF_A_ROW, "seed"})


def _rows(found: Sequence[tuple[Path, Result]]) -> tuple[Row, ...]:
    by_row: dict[str, list[tuple[Path, Result]]] = {}
    for path, result in sorted(found, key=lambda pair: (pair[1].identity.seed, pair[1].key)):
        by_row.setdefault(_row_id(result.identity), []).append((path, result))
    labels = _labels({name: [result for _, result in pairs] for name, pairs in by_row.items()})
    rows = [
        Row(
            id=name,
            label=labels[name],
            results=tuple(result for _, result in pairs if result.ok),
            failed=tuple(result for _, result in pairs if not result.ok),
            paths=tuple(path for path, result in pairs if result.ok),
        )
        for name, pairs in by_row.items()
    ]
    return _sorted(rows)


def _sorted(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: (row.label, row.id)))


def _row_id(identity: Identity) -> str:
    return identity.model_copy(update={"seed": 0}).key[:16]


def _labels(rows: Mapping[str, Sequence[Result]]) -> dict[str, str]:
    """The spec, then what sets a row apart from others: tuned, where it ran, an older source."""
    identities = {name: results[0].identity for name, results in rows.items()}
    varying = [name for name in ARITHMETIC if _differ(identities.values(), name)]
    newest: dict[tuple[str, Plain], tuple[str, str]] = {}
    for results in rows.values():
        created = max((result.provenance.created, result.identity.method_source) for result in results)
        of = _sources(results[0].identity)
        newest[of] = max(newest.get(of, created), created)
    labels = {}
    given = {name: _given(results[0]) for name, results in rows.items()}
    same = Counter((identities[name].trials, identities[name].sampler, given[name]) for name in rows)
    for name, identity in identities.items():
        apart = ["tuned"] if identity.tuned and not identity.trials else []
        if identity.trials and same[identity.trials, identity.sampler, given[name]] > 1:
            apart.append(
                ", ".join(f"{key}={value}" for key, value in sorted(searched(rows[name][0]).items())) or "default"
            )
        for word in varying:
            apart.append(in_words(word, getattr(identity, word)))
        if identity.method_source != newest[_sources(identity)][1]:
            apart.append(f"older source {identity.method_source[:SHORT]}")
        labels[name] = f"{given[name]} ({', '.join(apart)})" if apart else given[name]
    return labels


def _sources(identity: Identity) -> tuple[str, Plain]:
    """Of what a row's ``method_source`` is the hash: the method's plugin, and those of its terms."""
    return identity.method, identity.parameters.get("loss")


def _given(result: Result) -> str:
    """The method's spec as the user has set it: what a search has found is told elsewhere."""
    identity = result.identity
    return str(spec(identity.method, identity.parameters if result.tuning is None else result.tuning.given))


def searched(result: Result) -> dict[str, Plain]:
    """The parameters of a record that a search has found to be better than the default."""
    given = {} if result.tuning is None else result.tuning.given
    return {name: value for name, value in result.identity.parameters.items() if name not in given}


def in_words(name: str, value: object) -> str:
    """A part of the arithmetic as a reader of a board would say it."""
    if name == "threads":
        return f"{value} thread{'s' * (value != 1)}"
    if name in ("compiled", "deterministic"):
        return name if value else f"not {name}"
    return str(value)


def training_data(identity: Identity) -> str:
    """What was done to the train split: ``augmented by noise+mask, balanced``; empty for nothing."""
    parts = [f"augmented by {identity.augment}"] if identity.augment else []
    return ", ".join([*parts, "balanced"] if identity.balance else parts)


def _differ(identities: Iterable[Identity], name: str) -> bool:
    return len({getattr(identity, name) for identity in identities}) > 1


def _left_out(others: Sequence[Result], newest: Result) -> tuple[LeftOut, ...]:
    by_difference: dict[str, list[Result]] = {}
    for result in others:
        by_difference.setdefault(", ".join(_differences(result.identity, newest.identity)), []).append(result)
    return tuple(
        LeftOut(
            differs,
            tuple(sorted({str(spec(r.identity.method, r.identity.parameters)) for r in results})),
            len(results),
        )
        for differs, results in sorted(by_difference.items())
    )


def _differences(one: Identity, other: Identity) -> Iterator[str]:
    mine, theirs = _shared(one), _shared(other)
    if training_data(one) != training_data(other):
        yield f"the train split {training_data(one) or 'as it is'}"
    for name in mine:
        if name in ("augment", "balance"):
            continue
        if mine[name] != theirs[name]:
            if name == "together":
                yield "seeds trained at once" if mine[name] else "seeds trained one after the other"
                continue
            value = str(mine[name])
            long = name in ("data", "core_source") and len(value) > SHORT
            yield f"{name.replace('_', ' ')} {value[:SHORT] if long else value}"
