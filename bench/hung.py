"""Ten targets of sixty accept a connection and never answer: are the other fifty looked at as before?"""

import socket
import time

import victims
from kit import Nginx, gaps, quantile
from report import Row

FIRST_PORT = 16_000
GOOD, HUNG = 50, 10


def homeostat(lab, name, ports):
    services = "\n".join(f"  s{port}: {{ run: {{ exec: {{ restart: [/bin/true] }} }}, checks: {{ alive: {{ http: "
                         f"{{ url: 'http://127.0.0.1:{port}/', connection: fresh }} }} }} }}" for port in ports)
    # Only looked at: the repairs of what hangs are not what is measured here.
    return lab.homeostat(name, f"homeostat: 1\ndefaults: {{ interval: 1s, timeout: 1s }}\nservices:\n{services}\n")


def monit(lab, name, ports):
    checks = "\n".join(
        f"check host s{port} with address 127.0.0.1\n"
        f"  if failed port {port} protocol http request \"/\" with timeout 1 seconds then alert" for port in ports)
    return victims.start_monit(lab, name, checks)


def p99(nginx, ports, window):
    times = nginx.asked(*window)
    return quantile(gaps({port: times.get(port, []) for port in ports}), 0.99)


def measure(lab, quick, progress):
    seconds = 25 if quick else 40
    count = GOOD + HUNG
    all_ports = range(FIRST_PORT, FIRST_PORT + 4 * count)
    shares = {name: all_ports[i * count:(i + 1) * count] for i, name in
              enumerate(("ours.hung", "ours.well", "monit.hung", "monit.well"))}
    silent = [port for name, ports in shares.items() if name.endswith("hung") for port in ports[GOOD:]]
    listeners = []
    for port in silent:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(512)  # the kernel accepts for it, and nobody ever reads
        listeners.append(listener)
    nginx = Nginx(lab, "hung", [port for port in all_ports if port not in silent])
    programs = [(homeostat if name.startswith("ours") else monit)(lab, name, ports) for name, ports in shares.items()]
    progress(f"{HUNG} of {count} targets hang, {seconds} s")
    time.sleep(3)
    begin = time.time()
    window = (begin, begin + seconds)
    time.sleep(seconds)
    apart = {name: p99(nginx, ports[:GOOD], window) for name, ports in shares.items()}
    for program in programs:
        lab.end(program)
    ours, theirs = apart["ours.hung"] / apart["ours.well"], apart["monit.hung"] / apart["monit.well"]
    what = f"{HUNG} hung targets of {count}: p99 gap of the others"
    return [Row(f"{what}, by that without", ours, "×", "<=", 1.05, "Monit", theirs, 2),
            Row(what, apart["ours.hung"], "s", "<=", None, "Monit", apart["monit.hung"], 3)]
