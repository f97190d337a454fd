"""The figures that programs of this folder measure by themselves."""

import json
import re
import subprocess

from kit import BUILD, Trouble, median
from report import Row


def output_of(argv, seconds=120):
    """What a measuring program prints."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=seconds, check=False)
    if done.returncode != 0:
        raise Trouble(f"{argv[0]} failed: {done.stderr[-400:]}")
    return done.stdout


def journal(lab, quick, progress):
    bench = BUILD / "journal_bench"
    progress("durable events, grouped")
    grouped = json.loads(output_of([bench, "grouped", lab.dir / "grouped", 2 if quick else 5]))
    progress("single intents in turn with append + fdatasync")
    runs = [json.loads(output_of([bench, "single", lab.dir / f"single.{run}", 400 if quick else 1500]))
            for run in range(1 if quick else 3)]
    ours = median([run["ours_p50_us"] for run in runs])
    plain = median([run["plain_p50_us"] for run in runs])
    direct = median([run["direct_p50_us"] for run in runs])
    ratio, direct_ratio = (median([run[f"{which}_p50_us"] / run["plain_p50_us"] for run in runs])
                           for which in ("ours", "direct"))
    return [Row("durable events a second, hash chain on, grouped", grouped["per_second"], "/s", ">=", 50_000, digits=0),
            Row("one durable intent, hash chain on: p50", ours, "µs", "<=", 1.2, "append+fdatasync", plain, 0, ratio),
            Row("the same within the writing thread", direct, "µs", "<=", None, "append+fdatasync", plain, 0,
                direct_ratio)]


def engine(_lab, quick, progress):
    progress("the engine's step")
    rows = []
    for line in output_of([BUILD / "engine_bench", *(["10000"] if quick else ["10000", "100000"])]).splitlines():
        found = re.search(r"(\d+) checks(.*?)\s+([\d.]+) million results/s.*?(\d+) bytes/check", line)
        if found is None:
            continue
        what = f"engine, {int(found[1]):,} checks{found[2]}, 1 % failing"
        rows += [Row(f"{what}: results", float(found[3]), "million/s", ">=", 5, digits=2),
                 Row(f"{what}: memory a check", int(found[4]), "bytes", "<=", 300, digits=0)]
    return rows


def traffic(_lab, quick, progress):
    progress("swaps of traffic")
    found = json.loads(output_of([BUILD / "traffic_bench", 100 if quick else 1000], 300))
    what = f"HAProxy, {100 if quick else 1000:,} whole swaps, 8 clients"
    return [Row(f"{what}: failed of {found['answered']:,} requests", found["failed"], "", "<=", 0, digits=0),
            Row("HAProxy: largest difference from the wanted share", found["worst_split_points"], "points", "<=", 0.05,
                digits=3)]


def simulator(_lab, quick, progress):
    progress("the simulator")
    found = json.loads(output_of([BUILD / "sim_bench", 50 if quick else 300], 300))
    what = "simulator, all invariants checked: inputs a CPU second"
    return [Row(what, found["per_second"], "/s", ">=", 300_000, digits=0)]
