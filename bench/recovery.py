"""How long a start takes with a long history: from the start of the program until it is ready to act."""

import os
import socket
import time

from kit import BUILD, Trouble, median
from programs import output_of
from report import Row

SERVICES, INSTANCES = 100, 10  # as in history.cc


def config():
    services = "\n".join(f"  service-{i}: {{ instances: {INSTANCES}, run: {{ exec: {{ restart: [/bin/true], "
                         f"status: [/bin/true] }} }} }}" for i in range(SERVICES))
    return f"homeostat: 1\ndefaults: {{ interval: 60s }}\nservices:\n{services}\n"


def seconds_to_ready(lab, name, file):
    path = lab.dir / "notify"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(path))
        told.settimeout(120)
        begun = time.monotonic()
        program = lab.start([BUILD / "homeostat", "--config", file, "--state-dir", lab.dir / name,
                             "--socket", lab.dir / f"{name}.sock", "run"], env={"NOTIFY_SOCKET": str(path)})
        try:
            while b"READY=1" not in told.recv(4096):
                pass
        except TimeoutError as error:
            raise Trouble(f"the daemon was not ready: {program.log.read_text()[-400:]}") from error
        took = time.monotonic() - begun
    lab.end(program)
    if "observe only" in program.log.read_text():
        raise Trouble("the daemon does not trust the history that was made")
    return took


def measure(lab, quick, progress):
    records = 100_000 if quick else 1_000_000
    progress(f"making a history of {records:,} records")
    output_of([BUILD / "bench_history", lab.dir / "history", records], 300)
    os.sync()
    file = lab.write("history.yaml", config())
    progress("starting with it")
    took = median([seconds_to_ready(lab, "history", file) for _ in range(3)])
    return [Row(f"start with a history of {records:,} records to ready", took, "s", "<=", 1.0, digits=2)]
