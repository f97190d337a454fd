"""One row a figure: what we reached, what is to be reached, what the peer reached beside us; as table and JSON."""

import dataclasses
import json
import platform
import subprocess
from pathlib import Path


@dataclasses.dataclass
class Row:
    what: str
    ours: float
    unit: str
    sense: str  # "<=" or ">="
    goal: float | None = None  # of the ratio where one is given, else of `ours`; None: shown only
    peer: str = ""
    theirs: float | None = None
    digits: int = 1
    ratio: float | None = None

    def ok(self):
        if self.goal is None:
            return None
        value = self.ours if self.ratio is None else self.ratio
        return value <= self.goal if self.sense == "<=" else value >= self.goal


def number(value, digits, unit):
    return f"{value:,.{digits}f}" + (f" {unit}" if unit else "")


def cells(row):
    goal = "" if row.goal is None else f"{row.sense} " + (
        f"{row.goal:g} ×" if row.ratio is not None else f"{row.goal:,g}" + (f" {row.unit}" if row.unit else ""))
    ratio = row.ratio
    if ratio is None and row.theirs:
        ratio = row.ours / row.theirs
    return [row.what, number(row.ours, row.digits, row.unit), goal,
            f"{row.peer} {number(row.theirs, row.digits, row.unit)}" if row.theirs is not None else "–",
            "–" if ratio is None else f"{ratio:.2f} ×", {None: "", True: "ok", False: "MISSED"}[row.ok()]]


def table(rows):
    lines = [["what", "ours", "to reach", "peer", "ratio", ""], *map(cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines)


def machine():
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    cores = subprocess.run(["nproc", "--all"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{cores} × {model}, Linux {platform.release()}"


def save(path, rows, about):
    found = [{**dataclasses.asdict(row), "ok": row.ok()} for row in rows]
    path.write_text(json.dumps({**about, "rows": found}, indent=2, ensure_ascii=False) + "\n")
