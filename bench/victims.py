"""Services that are broken, the tools that repair them, and how long that takes."""

import os
import signal
import socket
import subprocess
import time

from kit import BUILD, Trouble, get, wait_until

VICTIM = BUILD / "bench_victim"
PATIENCE = 30.0


def start_of(port):
    """(pid, nonce) of the run that serves there; None while none does."""
    answer = get(port)
    if answer is None or answer[0] != 200:
        return None
    pid, nonce = answer[1].split()
    return int(pid), nonce


def serving_again(port, before, begun):
    """Seconds from `begun` until another run than `before` answers 200."""
    while time.monotonic() - begun < PATIENCE:
        now = start_of(port)
        if now is not None and now[1] != before[1]:
            return time.monotonic() - begun
        time.sleep(0.0003)
    raise Trouble(f"port {port} was not repaired within {PATIENCE:.0f} s")


def crash(port):
    """Kills what serves there; seconds to the first answer of its successor."""
    before = wait_until(lambda: start_of(port), 10, f"port {port} to serve")
    begun = time.monotonic()
    os.kill(before[0], signal.SIGKILL)
    return serving_again(port, before, begun)


def break_it(port):
    """Makes it answer 500; seconds to the first good answer of its successor."""
    before = wait_until(lambda: start_of(port), 10, f"port {port} to serve")
    begun = time.monotonic()
    get(port, "/break")
    return serving_again(port, before, begun)


def free_ports(first, count):
    """`count` ports from `first` on where nobody listens."""
    found = []
    for port in range(first, 32000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise Trouble(f"there are no {count} free ports from {first} on")


def wait_for_all(ports, who):
    for port in ports:
        wait_until(lambda port=port: start_of(port), 20, f"{who} to start port {port}")


def homeostat(lab, ports, name, checks="", rest=""):
    services = "\n".join(
        f"  s{port}: {{ run: {{ process: {{ command: [{VICTIM}, '{port}'] }} }}{checks.format(port=port)} }}"
        for port in ports)
    program = lab.homeostat(name, f"homeostat: 1\nservices:\n{services}\n{rest}")
    wait_for_all(ports, "homeostat")
    return program


def runit(lab, ports):
    for port in ports:
        lab.write(f"runit/s{port}/run", f"#!/bin/sh\nexec {VICTIM} {port}\n", 0o700)
    program = lab.start(["runsvdir", lab.dir / "runit"])
    wait_for_all(ports, "runit")
    return program


def end_runit(lab, program):
    lab.end(program, signal.SIGHUP)  # runsvdir passes it on to every runsv, which ends its service
    for service in (lab.dir / "runit").iterdir():
        subprocess.run(["sv", "force-shutdown", service], capture_output=True, check=False)


def supervisord(lab, ports):
    programs = "\n".join(f"[program:s{port}]\ncommand={VICTIM} {port}\nautorestart=true\n" for port in ports)
    config = lab.write("supervisord.conf", f"[supervisord]\nlogfile={lab.dir}/supervisord.log\n"
                                           f"pidfile={lab.dir}/supervisord.pid\nchildlogdir={lab.dir}\n{programs}")
    program = lab.start(["/usr/bin/supervisord", "-n", "-c", config])
    wait_for_all(ports, "supervisord")
    return program


def monit(lab, ports):
    """One cycle a second, three cycles to a restart, and a start that counts as done after a second."""
    checks = ""
    for port in ports:
        pidfile = lab.dir / f"monit.{port}.pid"
        starter = lab.write(f"monit/start.{port}", f"#!/bin/sh\n{VICTIM} {port} {pidfile} >/dev/null 2>&1 &\n", 0o700)
        stopper = lab.write(f"monit/stop.{port}", f"#!/bin/sh\nkill -9 $(cat {pidfile})\n", 0o700)
        checks += (f"check process s{port} with pidfile {pidfile}\n"
                   f"  start program = \"{starter}\" with timeout 1 seconds\n"
                   f"  stop program = \"{stopper}\" with timeout 1 seconds\n"
                   f"  if failed port {port} protocol http request \"/\" with timeout 1 seconds "
                   "for 3 cycles then restart\n")
    program = start_monit(lab, "monit", checks)
    wait_for_all(ports, "Monit")
    return program


def start_monit(lab, name, checks):
    files = "\n".join(f"set {kind} {lab.dir}/{name}.{kind}" for kind in ("pidfile", "statefile", "idfile", "logfile"))
    config = lab.write(f"{name}.monitrc", f"set daemon 1\n{files}\n{checks}")
    return lab.start_reaped(["monit", "-I", "-c", config])


def icinga(lab, ports):
    """A check a second, the handler at the third failure in a row."""
    services, starts = "", []
    for port in ports:
        pidfile = lab.dir / f"icinga.{port}.pid"
        start = f"{VICTIM} {port} {pidfile} >/dev/null 2>&1 &\n"
        starts.append(start)
        lab.write(f"icinga/heal.{port}", f"""#!/bin/sh
[ "$1 $2" = "CRITICAL HARD" ] || exit 0
kill -9 $(cat {pidfile})
while kill -0 $(cat {pidfile}) 2>/dev/null; do :; done
{start}""", 0o755)
        services += f"""
object EventCommand "heal{port}" {{
  command = [ "{lab.dir}/icinga/heal.{port}", "$service.state$", "$service.state_type$" ]
}}
object Service "s{port}" {{
  host_name = "here"; check_command = "http"; event_command = "heal{port}"
  check_interval = 1s; retry_interval = 1s; max_check_attempts = 3
  vars.http_address = "127.0.0.1"; vars.http_port = {port}; vars.http_uri = "/"
}}
"""
    config = lab.write("icinga2.conf", f"""
include <itl>
include <plugins>
const PluginDir = "/usr/lib/nagios/plugins"
object CheckerComponent "checker" {{ }}
object Host "here" {{ check_command = "dummy"; enable_active_checks = false }}
{services}""")
    begin = lab.write("icinga/begin", "#!/bin/sh\n" + "".join(starts) + '"$@"\n', 0o700)
    folders = []
    for kind in ("Data", "Log", "Cache", "InitRun", "Spool"):
        (lab.dir / "icinga" / kind).mkdir()
        folders.append(f"-D{kind}Dir={lab.dir}/icinga/{kind}")
    program = lab.start_reaped([begin, "icinga2", "daemon", "-c", config, *folders],
                               env={"ICINGA2_USER": "root", "ICINGA2_GROUP": "root"})
    wait_for_all(ports, "the shell")
    return program
