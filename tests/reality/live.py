#!/usr/bin/env python3
"""Runs a lab with real daemons in namespaces of its own, and tells which connections work.

    live.py [--root TREE] LAB.json

`--root`: the daemons of the file system tree below that directory, in place of the machine's own; it is not changed.

LAB.json:
  {"hosts": {NAME: [{"name": "eth0", "segment": "lan", "address": "10.0.0.1/24", "gateway": null}]},
                                        with "nat": {"on": NAME, "localhost": true, "forwards": [["tcp", ADDRESS, PORT,
                                        ADDRESS, PORT]]} in place of "segment" it is behind a NAT (slirp4netns) there
   "machine": NAME,                      the host that the files configure
   "files": {"setup.sh": TEXT, "etc/firewalld/zones/public.xml": TEXT},
   "listens": {NODE: ["3000/tcp"]},      NODE is a host or a container
   "probes": [[NODE, "tcp", ADDRESS, PORT]]}      "tcp", "udp" or "icmp" (a ping, port 0)

`setup.sh` is run as it is, with three stand-ins on its PATH: `dockerd` starts the daemon in the background and waits
for it, `systemctl` starts and stops firewalld and dockerd, and nothing else; `firewall-cmd` returns from a reload only
when dockerd has put its rules back. Prints one line for each probe, in the words of the pages: `NODE <- SOURCE`,
`refused`, `timed out`, ..., and `answers` for a ping

Needs root, iproute2, util-linux, and what the script uses: dockerd, containerd, runc, firewalld, dbus, busybox
(static). Nothing of the caller's network is touched: all of it happens in a network, mount and process namespace that
ends with this program.
"""
import argparse
import ctypes
import errno
import json
import os
import selectors
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

# Longer than any answer takes, shorter than the 3 s after which the kernel gives up asking for a neighbour.
PATIENCE = 1.5
CLONE_NEWNET = 0x40000000
IP_PKTINFO = 8
IP_RECVERR = 11
ECHO_REQUEST = b"\x08\0\0\0\0\0\0\x01"
WORDS = {errno.ECONNREFUSED: "refused", errno.EHOSTUNREACH: "no route to host", errno.ENETUNREACH: "network unreachable",
         errno.EPERM: "denied", errno.EACCES: "denied"}

DOCKERD = """#!/bin/sh
echo "$@" >$LAB/dockerd.args
/usr/sbin/dockerd --exec-root=/run/docker --pidfile=/run/docker.pid -H unix:///run/docker.sock \\
    --cgroup-parent=$CGROUP "$@" >>$LAB/dockerd.log 2>&1 &
for turn in $(seq 200); do
    docker version >/dev/null 2>&1 && break
    kill -0 $! 2>/dev/null || exit 1
    sleep 0.1
done
docker image inspect bb:1 >/dev/null 2>&1 || docker import $LAB/bb.tar bb:1 >/dev/null
"""

# What dockerd does behind a reload takes it up to a second; before that is over, nothing else should happen.
QUIET = """#!/bin/sh
[ -e /run/docker.pid ] || exit 0
same=0
for turn in $(seq 60); do
    before=$rules
    rules=$( (iptables-save; nft list ruleset) 2>&1 | grep -v '^#' | cksum)
    if [ "$before" = "$rules" ]; then same=$((same + 1)); else same=0; fi
    [ $same -lt 4 ] || exit 0
    sleep 0.25
done
"""

FIREWALL_CMD = """#!/bin/sh
/usr/bin/firewall-cmd "$@"
code=$?
case "$*" in *reload*|*set-default-zone*) quiet ;; esac
exit $code
"""

SYSTEMCTL = """#!/bin/sh
wait_end() {
    # A process that has ended and that nobody asks about has no program any more.
    while readlink "/proc/$1/exe" >/dev/null 2>&1; do sleep 0.05; done
}
start_firewalld() {
    if [ ! -e /run/dbus/system_bus_socket ]; then
        mkdir -p /run/dbus
        dbus-daemon --system --fork --nopidfile
    fi
    firewalld --nofork --nopid >>$LAB/firewalld.log 2>&1 &
    echo $! >$LAB/firewalld.pid
    for turn in $(seq 100); do
        firewall-cmd --state >/dev/null 2>&1 && break
        sleep 0.1
    done
    quiet
}
stop_firewalld() {
    kill $(cat $LAB/firewalld.pid)
    wait_end $(cat $LAB/firewalld.pid)
}
stop_docker() {
    pid=$(cat /run/docker.pid)
    kill $pid
    wait_end $pid
}
case "$1 $2" in
    "start firewalld") start_firewalld ;;
    "stop firewalld") stop_firewalld ;;
    "restart firewalld") stop_firewalld; start_firewalld ;;
    "restart docker") stop_docker; dockerd $(cat $LAB/dockerd.args) ;;
    "stop docker") stop_docker ;;
    *) echo "systemctl: $*: not known here" >&2; exit 1 ;;
esac
"""


def call(*argv, **kw):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)
    if done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(argv), done.stdout.strip()[-1000:]))
    return done.stdout


# ------------------------------------------------------------------------------------------------------------ machines
MACHINE = """
    mount --make-rprivate /
    if [ "$1" != / ]; then
        mkdir "$0/changed" "$0/scratch" "$0/tree"
        mount -t overlay tree -o "lowerdir=$1,upperdir=$0/changed,workdir=$0/scratch" "$0/tree"
        for part in proc sys dev; do mount --rbind "/$part" "$0/tree/$part"; done
        work=$(dirname "$0")
        mkdir -p "$0/tree$work" "$0/tree/before"
        mount --rbind "$work" "$0/tree$work"
        cd "$0/tree"
        pivot_root . before
        umount -l /before
    fi
    mount -t tmpfs run /run
    mkdir -p /run/lock "$0/firewalld" "$0/docker" "$0/etc-docker" /etc/firewalld /etc/docker /var/lib/docker
    cp -a /etc/firewalld/. "$0/firewalld"
    mount --bind "$0/firewalld" /etc/firewalld
    mount --bind "$0/docker" /var/lib/docker
    mount --bind "$0/etc-docker" /etc/docker
    touch "$0/fwlog" /var/log/firewalld && mount --bind "$0/fwlog" /var/log/firewalld
    ip link set lo up
    echo ready
    exec sleep infinity
"""


class Machine:
    """A process that keeps the network and mount namespace of a host."""

    def __init__(self, name, work, root):
        self.name, self.directory = name, os.path.join(work, name)
        os.makedirs(self.directory)
        self.process = subprocess.Popen(["unshare", "--net", "--mount", "sh", "-ec", MACHINE, self.directory, root],
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("no namespace for " + name)

    def namespace(self):
        return "/proc/%d/ns/net" % self.process.pid

    def call(self, *argv, **kw):
        return call("nsenter", "-t", str(self.process.pid), "-n", "-m", *argv, **kw)


def build(lab, work, root):
    """The hosts and the switches between them. A switch bridges, and neither filters nor answers."""
    call("ip", "link", "set", "lo", "up")
    knob = "/proc/sys/net/bridge/bridge-nf-call-iptables"
    machines, switches, port = {}, set(), 0
    for name, interfaces in lab["hosts"].items():
        machines[name] = machine = Machine(name, work, root if name == lab["machine"] else "/")
        for i in (i for i in interfaces if "nat" not in i):
            switch = "sw-" + i["segment"]
            if switch not in switches:
                switches.add(switch)
                call("ip", "link", "add", switch, "type", "bridge")
                call("ip", "link", "set", switch, "up")
                if os.path.exists(knob):
                    with open(knob, "w") as f:
                        f.write("0")
            port += 1
            call("ip", "link", "add", "port%d" % port, "type", "veth", "peer", "name", i["name"], "netns",
                 str(machine.process.pid))
            call("ip", "link", "set", "port%d" % port, "master", switch, "up")
            machine.call("ip", "addr", "add", i["address"], "dev", i["name"])
            machine.call("ip", "link", "set", i["name"], "up")
            if i.get("gateway"):
                machine.call("ip", "route", "add", "default", "via", i["gateway"])
    for name, interfaces in lab["hosts"].items():
        for i in (i for i in interfaces if "nat" in i):
            put_behind_nat(machines[name], machines[i["nat"]["on"]], i)
    return machines


def put_behind_nat(guest, host, i):
    """A NAT of the kind that virtual machines have: its sockets are the host's, its tap is in the guest."""
    ports = os.path.join(guest.directory, "nat.sock")
    options = ["--mtu=1500", "--cidr=10.0.2.0/24", "--api-socket=" + ports]
    if not i["nat"]["localhost"]:
        options.append("--disable-host-loopback")
    ready, tell_ready = os.pipe()
    # Between namespaces an ICMP error comes back while its packet is still being sent: the kernel drops it because the
    # socket is in use (`tcp_v4_err`), and slirp waits for ever. No network is as fast: another processor receives.
    host.call("sh", "-c", "mount -t sysfs sysfs /sys; for q in /sys/class/net/*/queues/rx-0/rps_cpus; do echo 2 >$q || true; done")
    subprocess.Popen(["nsenter", "--net=" + host.namespace(), "taskset", "1", "slirp4netns", "--ready-fd=%d" % tell_ready,
                      "--netns-type=path", *options, guest.namespace(), i["name"]],
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[tell_ready])
    os.close(tell_ready)
    if os.read(ready, 1) != b"1":
        raise RuntimeError("slirp4netns does not start")
    guest.call("ip", "addr", "add", i["address"], "dev", i["name"])
    guest.call("ip", "link", "set", i["name"], "up")
    guest.call("ip", "route", "add", "default", "via", i["gateway"])
    for protocol, address, port, to, to_port in i["nat"]["forwards"]:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(ports)
            arguments = {"proto": protocol, "host_addr": address or "0.0.0.0", "host_port": port, "guest_addr": to,
                         "guest_port": to_port}
            s.sendall(json.dumps({"execute": "add_hostfwd", "arguments": arguments}).encode())
            s.shutdown(socket.SHUT_WR)
            answer = s.recv(4096).decode()
        if "error" in answer:
            raise RuntimeError("forward of port %d: %s" % (port, answer))


def image(work):
    """A root file system that holds only busybox."""
    root = os.path.join(work, "image")
    os.makedirs(root + "/bin")
    shutil.copy(os.path.realpath(shutil.which("busybox")), root + "/bin/busybox")
    os.symlink("busybox", root + "/bin/sleep")
    call("tar", "-C", root, "-cf", os.path.join(work, "bb.tar"), ".")


def set_up(lab, machine, work):
    """Puts the files where they belong and runs the script."""
    image(work)
    bin_ = os.path.join(work, "bin")
    os.makedirs(bin_)
    for name, text in (("dockerd", DOCKERD), ("systemctl", SYSTEMCTL), ("firewall-cmd", FIREWALL_CMD), ("quiet", QUIET)):
        with open(os.path.join(bin_, name), "w") as f:
            f.write(text)
        os.chmod(os.path.join(bin_, name), 0o755)
    for path, text in lab["files"].items():
        if path.startswith("etc/"):
            inside = path[len("etc/"):] if path.startswith("etc/firewalld/") else path.replace("etc/docker", "etc-docker")
            target = os.path.join(machine.directory, inside)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if path.endswith("firewalld.conf"):
                text = configured(target, text)
            with open(target, "w") as f:
                f.write(text)
    env = {"PATH": bin_ + ":/usr/sbin:/usr/bin:/sbin:/bin", "LAB": work, "CGROUP": "/" + os.path.basename(work),
           "DOCKER_HOST": "unix:///run/docker.sock", "DOCKER_CONFIG": work, "LC_ALL": "C", "HOME": work}
    with open(os.path.join(work, "setup.sh"), "w") as f:
        f.write(lab["files"]["setup.sh"])
    with open(os.path.join(work, "setup.log"), "w") as log:
        subprocess.run(["nsenter", "-t", str(machine.process.pid), "-n", "-m", "sh", "-x", work + "/setup.sh"],
                       stdout=log, stderr=log, env=env)
    if os.environ.get("LIVE_LOG"):
        with open(os.path.join(work, "setup.log")) as f:
            sys.stderr.write(f.read())
    wait_for_quiet(machine)
    return env


def wait_for_quiet(machine):
    """dockerd puts its rules back some time after firewalld has reloaded."""
    rules, turns = None, 0
    for _ in range(100):
        before, rules = rules, machine.call("sh", "-c", "iptables-save | grep -v '^#'; nft list ruleset")
        turns = turns + 1 if before == rules else 0
        if turns == 4:
            return
        time.sleep(0.25)
    raise RuntimeError("the rules do not come to rest")


def configured(path, wanted):
    """firewalld.conf with the wanted settings in place of the installed ones."""
    keys = {line.split("=", 1)[0] for line in wanted.splitlines()}
    with open(path) as f:
        kept = [line for line in f if line.split("=", 1)[0] not in keys]
    return "".join(kept) + "\n" + wanted


def containers(machine, env):
    """The namespaces of the running containers."""
    names = machine.call("docker", "ps", "--format", "{{.Names}}", env=env).split()
    found = {}
    for name in names:
        pid = machine.call("docker", "inspect", "-f", "{{.State.Pid}}", name, env=env).strip()
        found[name] = "/proc/%s/ns/net" % pid
    return found


# -------------------------------------------------------------------------------------------------------------- agents
class Agent:
    """A child that has entered a node's namespace: it serves there, and dials from there when told to."""

    def __init__(self, name, namespace, listens, probes):
        to_child, self.command = os.pipe()
        self.answer, from_child = os.pipe()
        self.probes = probes
        self.pid = os.fork()
        if self.pid == 0:
            try:
                enter(namespace)
                serve(name, listens)
                os.write(from_child, b"ready\n")
                os.read(to_child, 1)
                dialed = [dial(*probe[1:]) for _, probe in probes]
                answers = collect(dialed)
                os.write(from_child, json.dumps(answers).encode() + b"\n")
                time.sleep(10 ** 6)
            finally:
                os._exit(1)
        os.close(from_child)
        self.answers = os.fdopen(self.answer)
        if self.answers.readline() != "ready\n":
            raise RuntimeError("no agent in " + name)

    def go(self):
        os.write(self.command, b"!")

    def results(self):
        line = self.answers.readline()
        return list(zip((number for number, _ in self.probes), json.loads(line)))


def enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    with open(namespace) as f:
        if libc.setns(f.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns " + namespace)
    # Without this most rejections of a burst are not sent, and look like drops. No kind of message is limited.
    with open("/proc/sys/net/ipv4/icmp_ratemask", "w") as f:
        f.write("0")
    with open("/proc/sys/net/ipv4/ping_group_range", "w") as f:
        f.write("0 0")


def serve(name, listens):
    """Every server tells who it is and whom it sees."""
    for listen in listens:
        place, _, protocol = listen.partition("/")
        address, _, port = place.rpartition(":")
        kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
        server = socket.socket(socket.AF_INET, kind)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address or "0.0.0.0", int(port)))
        if kind == socket.SOCK_STREAM:
            server.listen(64)
        loop = answer_datagrams if kind == socket.SOCK_DGRAM else answer_connections
        threading.Thread(target=loop, args=(name, server), daemon=True).start()


def answer_connections(name, server):
    while True:
        client, peer = server.accept()
        client.sendall(("%s <- %s" % (name, peer[0])).encode())
        client.close()


def answer_datagrams(name, server):
    """Answers from the address that was dialled, as servers on machines with several addresses have to."""
    server.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    while True:
        _, ancillary, _, peer = server.recvmsg(64, socket.CMSG_SPACE(12))
        dialed = next(data[4:8] for level, kind, data in ancillary if kind == IP_PKTINFO)
        source = struct.pack("=i4s4s", 0, dialed, b"\0" * 4)
        try:
            server.sendmsg([("%s <- %s" % (name, peer[0])).encode()], [(socket.IPPROTO_IP, IP_PKTINFO, source)], 0, peer)
        except OSError:
            # The machine's own firewall stops this answer, not those that follow.
            continue


def dial(protocol, address, port):
    """A connection under way, or the word for why there is none."""
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    client = socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP if protocol == "icmp" else 0)
    client.setblocking(False)
    try:
        if protocol == "icmp":
            client.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        code = client.connect_ex((address, port))
        if code not in (0, errno.EINPROGRESS):
            return WORDS[code]
        if protocol != "tcp":
            client.send(ECHO_REQUEST)
    except OSError as e:
        return WORDS[e.errno]
    return client


def collect(dialed):
    """Waits for all answers at once."""
    answers = [d if isinstance(d, str) else "timed out" for d in dialed]
    waiting = selectors.DefaultSelector()
    for number, client in enumerate(dialed):
        if not isinstance(client, str):
            # A connection is made when it can be written to; an answer is there when it can be read.
            both = selectors.EVENT_READ | selectors.EVENT_WRITE
            waiting.register(client, both if client.type == socket.SOCK_STREAM else selectors.EVENT_READ, number)
    end = time.monotonic() + PATIENCE
    while waiting.get_map() and time.monotonic() < end:
        for key, _ in waiting.select(max(0, end - time.monotonic())):
            client, number = key.fileobj, key.data
            failure = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            connected = answers[number] == "accepted"
            if failure:
                answers[number] = "accepted" if connected else WORDS.get(failure, errno.errorcode[failure])
                waiting.unregister(client)
                continue
            try:
                banner = client.recv(200)
                is_ping = client.proto == socket.IPPROTO_ICMP
                answers[number] = "answers" if is_ping else banner.decode() or "accepted"
                waiting.unregister(client)
            except BlockingIOError:
                answers[number] = "accepted"
                waiting.modify(client, selectors.EVENT_READ, number)
            except OSError as e:
                answers[number] = "accepted" if connected else WORDS.get(e.errno, errno.errorcode[e.errno])
                waiting.unregister(client)
    return answers


def run(lab, work, root):
    machines = build(lab, work, root)
    machine = machines[lab["machine"]]
    env = set_up(lab, machine, work)
    nodes = {name: m.namespace() for name, m in machines.items()}
    uses_docker = "docker" in lab["files"]["setup.sh"]
    nodes.update(containers(machine, env) if uses_docker else {})
    numbered = list(enumerate(lab["probes"]))
    agents = [Agent(name, namespace, lab["listens"].get(name, []), [p for p in numbered if p[1][0] == name])
              for name, namespace in nodes.items()]
    for agent in agents:
        agent.go()
    results = dict(r for agent in agents for r in agent.results())
    for number, _ in numbered:
        print(results.get(number, "not there"))
    sys.stdout.flush()
    if os.environ.get("LIVE_RULES"):
        sys.stderr.write(machine.call("iptables-save") + machine.call("nft", "list", "ruleset"))
    if uses_docker:
        machine.call("sh", "-c", "docker kill $(docker ps -q); kill $(cat /run/docker.pid); sleep 0.5", env=env)


def tell(log):
    """The end of what a daemon said before things went wrong."""
    if os.path.exists(log):
        with open(log) as f:
            sys.stderr.write("".join(f.readlines()[-2:]))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--root", default="/")
    options.add_argument("lab")
    chosen = options.parse_args()
    work = os.environ.get("LIVE_INSIDE")
    if work:
        with open(chosen.lab) as f:
            lab = json.load(f)
        try:
            run(lab, work, os.path.realpath(chosen.root))
        except Exception:
            tell(os.path.join(work, "dockerd.log"))
            raise
        finally:
            sys.stdout.flush()
            os._exit(0 if sys.exc_info()[0] is None else (sys.excepthook(*sys.exc_info()) or 1))
    work = tempfile.mkdtemp(prefix="live-lab-")
    try:
        inside = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable,
                  os.path.abspath(__file__), "--root", chosen.root, os.path.abspath(chosen.lab)]
        return subprocess.run(inside, env=dict(os.environ, LIVE_INSIDE=work)).returncode
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
