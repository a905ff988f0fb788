#!/usr/bin/env python3
"""Turns recordings of real daemons into the pages of tests/reality/pages.

    convert.py ORACLE OUT

ORACLE is a directory with
  scenarios/NAME.json   what was run, step by step (the format is described by the recorder's --help)
  results/TAG.json      {NAME: [row, ...]} for each stack of versions in STACKS
OUT receives NAME.md for every scenario that has results: the lab as files that a user would have, phase by phase, and
a table of what was seen from where. A phase is what lies between two probes; its `setup.sh` block goes on where the
one before ended, and any other block replaces the file of that name (an empty block removes it).

The recorder's nftables stack runs the same scenarios with `--firewall-backend=nftables` after turning on ip_forward;
in the pages both are placeholders of lab.yaml. Scenarios that restore saved rule sets instead of running daemons
(replay-*) are no lab of a user and are left out.

Needs nothing but the standard library.
"""
import json
import os
import re
import shlex
import sys
from xml.sax.saxutils import quoteattr

STACKS = ["d20", "d28", "d29", "d29n"]
CELLS = {
    ("refused", "ECONNREFUSED"): "refused",
    ("timeout", None): "timed out",
    ("accepted", None): "accepted",
    ("unreachable", "EHOSTUNREACH"): "no route to host",
    ("unreachable", "ENETUNREACH"): "network unreachable",
}


def load(path):
    with open(path) as f:
        return json.loads("".join(line for line in f if not line.lstrip().startswith("#")))


def title(path):
    with open(path) as f:
        first = f.readline()
    return first.lstrip("# ").strip() if first.startswith("#") else ""


def firewalld_xml(kind, d):
    """A zone or policy file, as the recorder wrote it."""
    at = ' target=%s' % quoteattr(d["target"]) if "target" in d else ""
    if kind == "policy" and "priority" in d:
        at += ' priority="%d"' % d["priority"]
    x = ['<?xml version="1.0" encoding="utf-8"?>', "<%s%s>" % (kind, at)]
    for key, tag in (("ingress", "ingress-zone"), ("egress", "egress-zone"), ("interfaces", "interface"),
                     ("services", "service")):
        x += ["  <%s name=%s/>" % (tag, quoteattr(v)) for v in d.get(key, [])]
    x += ["  <source address=%s/>" % quoteattr(s) for s in d.get("sources", [])]
    for port, proto in (p.split("/") for p in d.get("ports", [])):
        x.append("  <port port=%s protocol=%s/>" % (quoteattr(port), quoteattr(proto)))
    for f in d.get("forward-ports", []):
        to_port = " to-port=%s" % quoteattr(str(f[2])) if f[2] else ""
        to_addr = " to-addr=%s" % quoteattr(f[3]) if f[3] else ""
        x.append("  <forward-port port=%s protocol=%s%s%s/>" % (quoteattr(str(f[0])), quoteattr(f[1]), to_port, to_addr))
    x += ["  <%s/>" % k for k in ("masquerade", "forward") if d.get(k)]
    unknown = set(d) - {"target", "priority", "ingress", "egress", "interfaces", "services", "sources", "ports",
                        "forward-ports", "masquerade", "forward", "xml"}
    assert not unknown, unknown
    return "\n".join(x + d.get("xml", []) + ["</%s>" % kind, ""])


def forward_port_command(zone, forward):
    port, proto, to_port, to_addr = forward
    value = "port=%s:proto=%s:toport=%s" % (port, proto, to_port) + (":toaddr=" + to_addr if to_addr else "")
    return "firewall-cmd --permanent --zone=%s --add-forward-port=%s" % (zone, value)


class Page:
    def __init__(self, name, scenario, said):
        self.name, self.scenario, self.said = name, scenario, said
        self.files, self.script, self.text = {}, [], []
        self.conf, self.removed = {}, []
        self.listens, self.nats = {}, {}
        self.containers = {s["name"] for s in scenario["steps"] if s["do"] == "run"}
        self.uses = {s["do"] for s in scenario["steps"]}
        self.firewalld_runs = False

    # ---------------------------------------------------------------- lab.yaml
    def lab(self):
        for s in self.scenario["steps"]:
            if s["do"] == "listen":
                addr, proto = s.get("addr", "0.0.0.0"), s.get("proto", "tcp")
                item = ("" if addr == "0.0.0.0" else addr + ":") + str(s["port"]) + ("" if proto == "tcp" else "/" + proto)
                if item not in self.listens.setdefault(s["at"], []):
                    self.listens[s["at"]].append(item)
            elif s["do"] == "slirp":
                self.nats.setdefault(s["inner"], []).append(s)
        subnets = {}
        for host in self.scenario["hosts"].values():
            for i in host.get("if", []):
                net = ".".join(i["ip"].split(".")[:3]) + ".0/24"
                assert i["ip"].endswith("/24")
                subnets[i["lan"]] = net
        out = ["networks:"]
        for lan, net in subnets.items():
            kind = ", kind: host-only" if lan == "ho" else ", kind: internal"
            out.append("  %s: {subnet: %s%s}" % (lan, net, kind))
        out.append("hosts:")
        for name, host in self.scenario["hosts"].items():
            out += ["  %s:" % name] + ["    " + line for line in self.host(name, host)]
        inside = {n: l for n, l in self.listens.items() if n in self.containers}
        if inside:
            out.append("containers:")
            out += ["  %s: {listen: [%s]}" % (n, ", ".join(l)) for n, l in inside.items()]
        return "\n".join(out) + "\n"

    def host(self, name, host):
        out = []
        if name in self.nats:
            out.append("on: %s" % self.nats[name][0]["outer"])
        if self.is_guest(name):
            out.append("files: [etc, setup.sh]" if "firewalld" in self.uses else "files: [setup.sh]")
        out.append("interfaces:")
        for i in host.get("if", []):
            gw = ", gateway: %s" % i["gw"] if "gw" in i else ""
            out.append("  %s: {network: %s, address: %s%s}" % (i["name"], i["lan"], i["ip"], gw))
        for nat in self.nats.get(name, []):
            out += ["  %s:" % nat["if"], "    address: %s" % nat["ip"], "    gateway: %s" % nat["gw"], "    nat:",
                    "      engine: libslirp", "      localhost-reachable: %s" % str(nat["localhost"]).lower(),
                    "      forwards:"]
            for proto, host_addr, host_port, guest_addr, guest_port in nat["hostfwd"]:
                host_addr = "" if host_addr == "0.0.0.0" else host_addr
                out.append("        - \"%s:%s:%s:%s:%s\"" % (proto, host_addr, host_port, guest_addr, guest_port))
        if name in self.listens:
            out.append("listen: [%s]" % ", ".join(self.listens[name]))
        if self.is_guest(name):
            out.append("ip-forward: $ip_forward")
            if "dockerd" in self.uses:
                out.append("docker: {version: $docker, firewall-backend: $firewall_backend}")
            if "firewalld" in self.uses:
                out.append("firewalld: {version: $firewalld}")
        return out

    def is_guest(self, name):
        return any(s.get("host") == name and s["do"] != "save" for s in self.scenario["steps"])

    # ------------------------------------------------------------------ phases
    def step(self, s):
        do = s["do"]
        if do == "firewalld":
            self.firewalld(s)
        elif do == "fw":
            self.script.append("firewall-cmd " + s["args"])
        elif do == "firewalld-stop":
            self.script.append("systemctl stop firewalld")
            self.firewalld_runs = False
        elif do == "firewalld-restart":
            self.script.append("systemctl %s firewalld" % ("restart" if self.firewalld_runs else "start"))
            self.firewalld_runs = True
        elif do == "dockerd":
            args = [a for a in s.get("args", []) if a != "--firewall-backend=nftables"]
            if "dockerd-stop" not in [d for d in self.done if d.startswith("dockerd")][-1:]:
                self.script.append(" ".join(["dockerd"] + args))
        elif do == "dockerd-stop":
            self.script.append("systemctl restart docker")
        elif do == "docker":
            self.script.append("docker " + s["args"])
        elif do == "run":
            line = "docker run -d --name %s %s bb:1 /bin/sleep 86400" % (s["name"], s.get("args", ""))
            self.script.append(re.sub(" +", " ", line))
        elif do == "sh":
            self.sh(s["cmd"])
        elif do not in ("listen", "unlisten", "adopt", "save", "slirp"):
            raise SystemExit("%s: no text for step %s" % (self.name, do))
        self.done.append(do)

    def sh(self, cmd):
        gone = re.fullmatch(r"rm -f (/etc/firewalld/\S+)", cmd)
        if gone:
            self.files[gone[1].lstrip("/")] = ""
        elif not re.fullmatch(r"sleep [\d.]+|sysctl -qw net.ipv4.ip_forward=1", cmd):
            self.script.append(cmd.replace("; ", "\n"))

    def firewalld(self, s):
        before = dict(self.conf)
        if "default" in s:
            self.conf["DefaultZone"] = s["default"]
        self.conf.update(s.get("conf", {}))
        if before != self.conf:
            self.files["etc/firewalld/firewalld.conf"] = "".join("%s=%s\n" % kv for kv in self.conf.items())
        for kind, key in (("zone", "zones"), ("policy", "policies")):
            for name, d in s.get(key, {}).items():
                if self.firewalld_runs and "forward-ports" in d:
                    # What turns on forwarding does so only now: the script has to say when.
                    self.script += [forward_port_command(name, f) for f in d["forward-ports"]]
                    continue
                self.files["etc/firewalld/%s/%s.xml" % (key, name)] = firewalld_xml(kind, d)
        self.script.append("firewall-cmd --reload" if self.firewalld_runs else "systemctl start firewalld")
        self.firewalld_runs = True
        self.script += ["firewall-cmd " + c for c in s.get("cmd", [])]

    def block(self, name, content):
        kind = {"yaml": "yaml", "sh": "sh", "xml": "xml"}.get(name.rsplit(".", 1)[-1], "text")
        self.text += ["```%s name=%s" % (kind, name)] + content.splitlines() + ["```", ""]

    def phase(self, label, rows):
        self.text += ["## %s" % label, ""]
        for name, content in sorted(self.files.items()):
            self.block(name, content)
        if self.script:
            self.block("setup.sh", "\n".join(self.script))
        self.files, self.script = {}, []
        stacks = [t for t in STACKS if any(t in cells for cells in rows.values())]
        self.text += ["| from | to | %s |" % " | ".join(stacks), "|---|---|%s" % ("---|" * len(stacks))]
        for (source, proto, address, port), cells in rows.items():
            place = "[%s]" % address if ":" in address else address
            self.text.append("| %s | %s %s:%d | %s |" % (
                source, proto, place, port, " | ".join(cells.get(t, "") for t in stacks)))
        self.text.append("")

    def build(self, results):
        self.done = []
        self.text = ["# %s" % self.name, ""] + ([self.said[:1].upper() + self.said[1:] + ".", ""] if self.said else [])
        self.block("lab.yaml", self.lab())
        for s in self.scenario["steps"]:
            if s["do"] != "probe":
                self.step(s)
                continue
            rows = {}
            for tag in STACKS:
                for r in results.get(tag, []):
                    if r["label"] == s.get("label", ""):
                        key = (r["from"], r["proto"], r["addr"], r["port"])
                        rows.setdefault(key, {})[tag] = cell(r)
            self.phase(s["label"], rows)
        while self.text[-1] == "":
            self.text.pop()
        return "\n".join(self.text) + "\n"


def cell(row):
    if row["result"] == "open":
        return "%s <- %s" % (row["reached"], row["src"])
    return CELLS[row["result"], row.get("errno")]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    oracle, out = sys.argv[1:]
    results = {t: load(os.path.join(oracle, "results", t + ".json")) for t in STACKS}
    names = sorted({n for t in STACKS for n in results[t] if not n.startswith("replay-")})
    os.makedirs(out, exist_ok=True)
    count = 0
    for name in names:
        path = os.path.join(oracle, "scenarios", name + ".json")
        page = Page(name, load(path), title(path))
        of_name = {t: results[t][name] for t in STACKS if name in results[t]}
        count += sum(map(len, of_name.values()))
        with open(os.path.join(out, name + ".md"), "w") as f:
            f.write(page.build(of_name))
    print("%d pages, %d rows" % (len(names), count))


if __name__ == "__main__":
    main()
