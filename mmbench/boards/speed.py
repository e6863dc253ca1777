"""Throughput on a board: a column for each device setting, and never two settings in one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmbench.boards.gather import Row, spec
from mmbench.boards.numbers import NONE, count
from mmbench.results.throughput import DeviceSetting, Throughput, load_throughput

BATCH = 256  # whose inference a board shows


@dataclass(frozen=True)
class Speed:
    """Throughput of the rows of a board under one device setting.

    Attributes:
        setting: of the device.
        records: by row id.
    """

    setting: DeviceSetting
    records: Mapping[str, Throughput]

    def cells(self, rows: Sequence[str]) -> tuple[str, ...]:
        """Samples per second of inference; a dash where it was not measured."""
        return tuple(self._cell(row) if row else "" for row in rows)

    def samples_per_second(self, row: str) -> float | None:
        """Of inference in batches of ``BATCH``, or of the largest that there is below."""
        record = self.records.get(row)
        found = [step for step in record.predict.rows if step.batch <= BATCH] if record else []
        return max(found, key=lambda step: step.batch).samples_per_second if found else None

    def _cell(self, row: str) -> str:
        value = self.samples_per_second(row)
        if value is not None:
            return count(round(value))
        return "failed" if row in self.records and not self.records[row].ok else NONE


def speeds(folder: Path, rows: Sequence[Row]) -> tuple[Speed, ...]:
    """Of the rows of a board, as far as they were measured on the same data.

    Args:
        folder: of the dataset's results, ``<out>/<protocol>/<dataset>``.
        rows: of the board.
    """
    by_cell = {_cell(row): row.id for row in rows}
    found: dict[DeviceSetting, dict[str, Throughput]] = {}
    for record in load_throughput(folder.parents[1], folder.name):
        key = str(record.identity.method_spec), record.identity.data
        if key in by_cell:
            found.setdefault(record.identity.setting, {})[by_cell[key]] = record
    return tuple(Speed(setting, records) for setting, records in sorted(found.items(), key=lambda pair: str(pair[0])))


def _cell(row: Row) -> tuple[str, str]:
    identity = row.any.identity
    return str(spec(identity.method, identity.parameters)), identity.data


def about(found: Sequence[Speed]) -> Iterator[str]:
    """What the columns mean."""
    for number, speed in enumerate(found, start=1):
        mark = f" ({number})" if len(found) > 1 else ""
        busy = sum(record.busy for record in speed.records.values())
        said = f"; of {busy} of them the machine was busy with something else" if busy else ""
        yield (
            f"samples/s{mark}: inference in batches of at most {BATCH}, on {speed.setting}; median of "
            f"{_steps(speed)} steps or more{said}. Rows of other devices are not to be compared with these."
        )


def _steps(speed: Speed) -> int:
    return min((record.identity.steps for record in speed.records.values()), default=0)
