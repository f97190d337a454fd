"""Time to repair: a service that is killed, and one that answers 500."""

import random
import shutil
import threading
import time

import victims
from kit import Trouble, quantile
from report import Row

FIRST_PORT = 21_000


def crash(lab, quick, progress):
    count = 8 if quick else 24
    ports = victims.free_ports(FIRST_PORT, 3 * count)
    shares = {"ours": ports[:count], "runit": ports[count:2 * count], "supervisord": ports[2 * count:]}
    victims.homeostat(lab, shares["ours"], "crash")
    runit = victims.runit(lab, shares["runit"])
    victims.supervisord(lab, shares["supervisord"])
    time.sleep(2)
    took = {tool: [] for tool in shares}
    for turn in range(count):  # every service once, so that every tool is in its first, plain state
        progress(f"crash {turn + 1} of {count} under Homeostat, runit and supervisord")
        for tool, own in shares.items():
            time.sleep(random.uniform(0, 0.3))
            took[tool].append(victims.crash(own[turn]) * 1000)
    victims.end_runit(lab, runit)
    rows = []
    for q, most in ((0.5, 12), (0.95, 30)):
        rows.append(Row(f"crash to serving again, history durable: p{q * 100:.0f}", quantile(took["ours"], q), "ms",
                        "<=", most, "runit", quantile(took["runit"], q)))
    rows.append(Row("the same: p50", quantile(took["ours"], 0.5), "ms", "<=", None, "supervisord",
                    quantile(took["supervisord"], 0.5)))
    return rows


# The same timing for all: a check a second, repair at the third failure in a row. Ours looks faster after the first.
CHECK = (", checks: {{ alive: {{ http: {{ url: 'http://127.0.0.1:{port}/' }}, interval: 1s, fast_interval: 150ms, "
         "timeout: 1s, failure_threshold: 3 }} }}")
# Every service is repaired once; only together they are more than a fleet may normally see in ten minutes.
REST = "guardrails: { fleet: { max_actions: 1000, per: 10m } }\n"


def breaker(ports, took):
    """Breaks one service after the other, beside the other tools."""
    for port in ports:
        time.sleep(random.uniform(0.2, 1.2))
        try:
            took.append(victims.break_it(port))
        except Trouble as trouble:
            print(f"  {trouble}", flush=True)
            took.append(victims.PATIENCE)


def http_500(lab, quick, progress):
    counts = {"ours": 8 if quick else 40, "Monit": 3 if quick else 12}
    with_icinga = shutil.which("icinga2") is not None
    if with_icinga:
        counts["Icinga 2"] = 4 if quick else 16
    ports = victims.free_ports(FIRST_PORT + 200, sum(counts.values()))
    shares = {}
    for tool, count in counts.items():
        shares[tool], ports = ports[:count], ports[count:]
    victims.homeostat(lab, shares["ours"], "repair", CHECK, REST)
    victims.monit(lab, shares["Monit"])
    if with_icinga:
        victims.icinga(lab, shares["Icinga 2"])
    time.sleep(4)
    progress("services that answer 500 under Homeostat, Monit" + (" and Icinga 2" if with_icinga else ""))
    took = {tool: [] for tool in counts}
    threads = [threading.Thread(target=breaker, args=(shares[tool], took[tool])) for tool in counts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mean = {tool: sum(times) / len(times) for tool, times in took.items()}
    return [Row("HTTP 500 to serving again: mean", mean["ours"], "s", "<=", 0.9 if tool == "Monit" else None, tool,
                mean[tool], 2) for tool in counts if tool != "ours"]
