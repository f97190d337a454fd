"""5,000 HTTP checks a second: are they all done, how evenly, and what do they cost, beside HAProxy."""

import time

from kit import Nginx, Trouble, cpu_seconds, gaps, median, quantile, rss_mb
from report import Row

TOOL_CORE, SERVER_CORE = 1, 0
FIRST_PORT = 10_000


def homeostat(lab, ports, connection):
    services = "\n".join(
        f"  s{port}: {{ run: {{ exec: {{ restart: [/bin/true] }} }}, checks: {{ alive: {{ http: "
        f"{{ url: 'http://127.0.0.1:{port}/', connection: {connection} }} }} }} }}" for port in ports)
    return lab.homeostat(f"load.{connection}.{len(lab.programs)}",
                         f"homeostat: 1\ndefaults: {{ interval: 1s, timeout: 1s }}\nservices:\n{services}\n", TOOL_CORE)


def haproxy(lab, ports):
    servers = "\n".join(f"  server s{port} 127.0.0.1:{port}" for port in ports)
    config = lab.write("haproxy.cfg", f"""
global
  nbthread 1
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend unused
  bind unix@{lab.dir}/haproxy.sock
  default_backend all
backend all
  option httpchk GET /
  default-server check inter 1s fall 3 rise 2
{servers}
""")
    return lab.start(["haproxy", "-db", "-f", config], TOOL_CORE)


def one(lab, nginx, program, warm_up, seconds, checks):
    """Lets a tool run alone, then says what it did in a window of whole seconds."""
    time.sleep(warm_up)
    if program.poll() is not None:
        raise Trouble(f"{program.args[0]} ended: {program.log.read_text()[-400:]}")
    begin, spent = time.time(), cpu_seconds(program.pid)
    time.sleep(max(0.0, begin + seconds - time.time()))
    end, spent = time.time(), cpu_seconds(program.pid) - spent
    memory = rss_mb(program.pid)
    lab.end(program)
    asked = nginx.asked(begin, end)
    done = sum(len(times) for times in asked.values())
    if done == 0:
        raise Trouble("our nginx was asked nothing: does another program listen on its ports?")
    return {"cpu": spent * 1000 / done, "done": done / (checks * (end - begin)), "gaps": gaps(asked), "rss": memory}


def summary(runs):
    apart = [gap for run in runs for gap in run["gaps"]]
    return {"done": min(run["done"] for run in runs), "p50": quantile(apart, 0.5), "p99": quantile(apart, 0.99),
            "rss": max(run["rss"] for run in runs), "cpu": median([run["cpu"] for run in runs])}


def measure(lab, quick, progress):
    checks, pairs, warm_up, seconds = (5_000, 1, 6, 6) if quick else (5_000, 5, 5, 8)
    ports = range(FIRST_PORT, FIRST_PORT + checks)
    nginx = Nginx(lab, "load", ports, SERVER_CORE)
    starts = {"fresh": lambda: homeostat(lab, ports, "fresh"), "haproxy": lambda: haproxy(lab, ports),
              "reuse": lambda: homeostat(lab, ports, "reuse")}
    runs = {name: [] for name in starts}
    for pair in range(pairs):
        for name, start in starts.items():
            progress(f"{checks} checks a second, pair {pair + 1} of {pairs}: {name}")
            runs[name].append(one(lab, nginx, start(), warm_up, seconds, checks))
    lab.end(nginx.program)
    return rows(runs, checks)


def rows(runs, checks):
    ours = {name: summary(runs[name]) for name in ("fresh", "reuse")}
    peer = summary(runs["haproxy"])
    found = []
    for name, own in ours.items():
        what = f"{checks:,} HTTP checks at 1 s, one core, {name}"
        found += [
            Row(f"{what}: share done", own["done"], "", ">=", 0.999, "HAProxy", peer["done"], 3),
            Row(f"{what}: gap p50", own["p50"], "s", "<=", 1.0005, "HAProxy", peer["p50"], 3),
            Row(f"{what}: gap p99", own["p99"], "s", "<=", 1.01, "HAProxy", peer["p99"], 3),
            Row(f"{what}: RSS", own["rss"], "MB", "<=", 30, "HAProxy", peer["rss"]),
        ]
    for name, most in (("fresh", 1.1), ("reuse", 0.6)):
        ratio = median([own["cpu"] / other["cpu"] for own, other in zip(runs[name], runs["haproxy"])])
        found.append(Row(f"CPU s per 1,000 of these checks, {name}", ours[name]["cpu"], "s", "<=", most,
                         "HAProxy", peer["cpu"], 4, ratio))
    return found
