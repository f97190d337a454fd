"""What the measurements share: a working folder, programs that are ended again, CPU time, memory, nginx, quantiles."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"


class Trouble(Exception):
    """A measurement could not be made; the text says why."""


def quantile(values, q):
    """The nearest value at or below the share q."""
    ordered = sorted(values)
    if not ordered:
        raise Trouble("nothing was measured")
    return ordered[int(q * (len(ordered) - 1))]


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise Trouble(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)


def get(port, path="/", timeout=1.0):
    """(status, body) of one request on a connection of its own; None when nobody answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException):
        return None


def cpu_seconds(pid):
    """User and system time of a process, its ended threads and its reaped children too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise Trouble(f"process {pid} has no memory any more")


def filesystem(path):
    return subprocess.run(["stat", "-f", "-c", "%T", path], capture_output=True, text=True, check=True).stdout.strip()


class Lab:
    """A folder and the programs started in it; leaving it ends them and removes the folder."""

    def __init__(self, base):
        base.mkdir(parents=True, exist_ok=True)
        if filesystem(base) in ("tmpfs", "ramfs"):
            raise Trouble(f"{base} is in memory; give a folder on a disk with --dir")
        self.dir = Path(tempfile.mkdtemp(prefix="homeostat-bench.", dir=base))
        self.programs = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in reversed(self.programs):
            self.end(program)
        self.end_the_rest()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self, argv, core=None, env=None):
        """Starts a program in a session of its own, on one core if that is wanted."""
        log = open(self.dir / f"{Path(argv[0]).name}.{len(self.programs)}.out", "wb")
        bind = None if core is None else lambda: os.sched_setaffinity(0, {core})
        program = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   cwd=self.dir, start_new_session=True, preexec_fn=bind,
                                   env={**os.environ, "HOMEOSTAT_BENCH": str(self.dir), **(env or {})})
        program.log = Path(log.name)
        log.close()
        self.programs.append(program)
        return program

    def start_reaped(self, argv, env=None):
        """The same for a program that orphans the services it starts."""
        return self.start([sys.executable, ROOT / "bench" / "reaper.py", *argv], env=env)

    def end(self, program, gently=signal.SIGTERM):
        if program.poll() is None:
            program.send_signal(gently)
            try:
                program.wait(5)
            except subprocess.TimeoutExpired:
                program.kill()
        try:
            os.killpg(program.pid, signal.SIGKILL)  # what it left in its session
        except ProcessLookupError:
            pass
        program.wait()

    def end_the_rest(self):
        """Supervisors leave services behind; they all bear this folder's name in their environment or command."""
        mark = str(self.dir).encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if int(process.name) != os.getpid() and any(
                        mark in (process / file).read_bytes() for file in ("environ", "cmdline")):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                continue  # it ended, or is not ours

    def write(self, name, text, mode=0o600):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def homeostat(self, name, config, core=None):
        """A daemon with a configuration and a state folder of its own."""
        file = self.write(f"{name}.yaml", config)
        state = self.dir / f"{name}.state"
        return self.start([BUILD / "homeostat", "--config", file, "--state-dir", state,
                           "--socket", self.dir / f"{name}.sock", "run"], core)


class Nginx:
    """Servers on many ports that log which was asked when."""

    def __init__(self, lab, name, ports, core=None):
        self.log = lab.dir / f"{name}.log"
        listens = "\n".join(f"listen 127.0.0.1:{port} backlog=64;" for port in ports)
        temporary = "\n".join(f"{kind}_temp_path {lab.dir}/{name}.tmp;" for kind in
                              ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = lab.write(f"{name}.conf", f"""
            pid {lab.dir}/{name}.pid; error_log {lab.dir}/{name}.error; daemon off; worker_processes 1; user root;
            worker_rlimit_nofile 20000;
            events {{ worker_connections 18000; }}
            http {{
              log_format asked '$server_port $msec';
              access_log {self.log} asked buffer=64k flush=500ms;
              keepalive_requests 1000000; keepalive_timeout 60s; {temporary}
              server {{ {listens} location / {{ return 200 "ok"; }} }}
            }}""")
        self.program = lab.start(["nginx", "-c", config], core)
        wait_until(lambda: get(ports[-1]), 20, f"nginx to answer, see {lab.dir}/{name}.error")

    def asked(self, begin, end):
        """Port -> when it was asked within [begin, end), by nginx's own clock."""
        time.sleep(max(0.0, end + 1.0 - time.time()))  # the log is written every half a second
        times = {}
        with open(self.log, encoding="ascii") as lines:
            for line in lines:
                port, _, at = line.partition(" ")
                if at.endswith("\n") and begin <= float(at) < end:
                    times.setdefault(int(port), []).append(float(at))
        return times


def gaps(times):
    """The times between two requests to the same port, over all ports."""
    return [later - earlier for of_port in times.values() for earlier, later in zip(of_port, of_port[1:])]
