#!/usr/bin/env python3
"""Turns a recorded rule set into a small one that says the same about IPv4.

    compact.py RECORDING SCENARIO PHASE STACK > tests/reality/rulesets/STACK-SCENARIO.txt

Left out are comments, counters, the tables of IPv6 and of bridges, tables of iptables where nft lists them once more, and
chains without rules together with the jumps to them.

Needs nothing but the standard library.
"""

import re
import sys


def without_empty_chains(lines, opens, jumps):
    """`opens` finds the name of a chain, `jumps` the name of a chain that a rule jumps to."""
    while True:
        rules = {}
        for chain, rule in lines:
            if rule is None:
                rules.setdefault(chain, 0)
            else:
                rules[chain] = rules.get(chain, 0) + 1
        empty = {c for c, n in rules.items() if n == 0 and not opens(c)}
        kept = [(c, r) for c, r in lines if c not in empty and not (r and jumps(r) in {e[1] for e in empty if e[0] == c[0]})]
        if kept == lines:
            return kept
        lines = kept


def iptables(text):
    lines, policies, table = [], {}, None
    for line in text.splitlines():
        if line.startswith("*"):
            table = line
        elif line.startswith(":"):
            name, policy = line[1:].split()[:2]
            policies[table, name] = policy
            lines.append(((table, name), None))
        elif line.startswith("-A "):
            lines.append(((table, line.split()[1]), line))
    jump = lambda rule: (re.search(r"-[jg] (\S+)", rule) or [None, None])[1]
    lines = without_empty_chains(lines, lambda c: policies[c] != "-", jump)
    out = []
    for table in dict.fromkeys(c[0] for c, _ in lines):
        out.append(table)
        out += [":%s %s [0:0]" % (c[1], policies[c]) for c, r in lines if c[0] == table and r is None]
        out += [r for c, r in lines if c[0] == table and r is not None]
        out.append("COMMIT")
    return out


def nft(text):
    blocks, table, chain = [], None, None
    for line in text.splitlines():
        words = line.split("#")[0].split() if not line.startswith("\t\t") else line.split()
        if not words:
            continue
        if words[0] == "table":
            family = words[1]
            table = None if family in ("ip6", "bridge") or (family == "ip" and words[2] in NFT_SKIP) else " ".join(words[:3])
        elif table and words[0] == "chain":
            chain = (table, words[1])
            blocks.append((chain, None))
        elif table and words[0] in ("map", "set"):
            chain = (table, words[0] + " " + words[1])
            blocks.append((chain, None))
        elif table and chain and line.startswith("\t\t"):
            blocks.append((chain, line.strip()))
        elif line == "\t}":
            chain = None
    jump = lambda rule: (re.search(r"(?:jump|goto) (\S+)", rule) or [None, None])[1] if " : " not in rule else None
    blocks = without_empty_chains(blocks, lambda c: False, jump)
    named = {n for _, r in blocks if r for n in re.findall(r"(?:jump|goto) ([^\s,}]+)", r)}
    out = []
    for table in dict.fromkeys(c[0] for c, _ in blocks):
        out.append(table + " {")
        have = {c[1] for c, _ in blocks if c[0] == table}
        for missing in sorted(n for n in named - have if any(c[0] == table and r and n in r for c, r in blocks)):
            out += ["\tchain %s {" % missing, "\t}"]
        for chain in dict.fromkeys(c for c, _ in blocks if c[0] == table):
            head = chain[1] if chain[1].split()[0] in ("map", "set") else "chain " + chain[1]
            out.append("\t%s {" % head)
            out += ["\t\t" + r for c, r in blocks if c == chain and r is not None]
            out.append("\t}")
        out.append("}")
    return out


NFT_SKIP = ("raw", "mangle", "nat", "filter", "security")


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    recording, scenario, phase, stack = sys.argv[1:]
    parts = {}
    for section in open(recording).read().split("##### ")[1:]:
        name, text = section.split("\n", 1)
        parts[name.strip()] = text
    print("# %s | %s | %s" % (scenario, phase, stack))
    print("##### iptables-save")
    print("\n".join(iptables(parts["iptables-save"])))
    print("##### nft -s list ruleset")
    print("\n".join(nft(parts["nft -s list ruleset"])))


if __name__ == "__main__":
    main()
