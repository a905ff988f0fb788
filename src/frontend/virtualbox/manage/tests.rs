//! `VBoxManage` lines and what is read from them.

use super::*;
use crate::frontend::shell;
use crate::lab::machine::{AdapterChange, HypervisorDecl, MachineAction};
use crate::source::{SourceId, Sources};

fn read(text: &str) -> (Sources, Declarations) {
    let mut sources = Sources::default();
    let id: SourceId = sources.add("lab.sh", text);
    let out = shell::parse(id, text);
    (sources, out)
}

/// What a line states, in short.
fn shown(declaration: &Declaration) -> String {
    match declaration {
        Declaration::MachineChange(change) => match &change.action {
            MachineAction::Adapter(slot, adapter) => adapter_shown(&change.machine.value, *slot, adapter),
            other => format!("{other:?}").split([' ', '(', '{']).next().unwrap().to_owned(),
        },
        Declaration::Hypervisor(HypervisorDecl::NatNetwork(n)) => format!(
            "{:?} {} {:?} {:?} {} {}",
            n.verb,
            n.name.value,
            n.network.map(|net| net.value.to_string()),
            n.enabled.map(|e| e.value),
            n.forwards.len(),
            n.removed_forwards.len()
        ),
        Declaration::Hypervisor(HypervisorDecl::HostOnly(n)) => {
            format!("{:?} {} {:?}", n.verb, n.name.value, n.address.map(|a| a.value.to_string()))
        }
        Declaration::Hypervisor(HypervisorDecl::Dhcp(s)) => {
            format!("{:?} {} {:?}", s.verb, s.network.value, s.range.map(|r| r.value.0.to_string()))
        }
        Declaration::Unmodeled(what) => format!("unmodeled {}", what.value),
        other => format!("{other:?}"),
    }
}

fn adapter_shown(machine: &str, slot: u8, change: &AdapterChange) -> String {
    match change {
        AdapterChange::AddForward(f) => format!(
            "{machine} {slot} {} {} {:?}:{} {:?}:{}",
            f.name, f.protocol, f.host_address, f.host_port, f.guest_address, f.guest_port
        ),
        AdapterChange::Attach(kind) => format!("{machine} {slot} {kind:?}"),
        AdapterChange::Target(mode) => format!("{machine} {slot} at {:?}", mode.kind()),
        AdapterChange::Cable(on) => format!("{machine} {slot} {}", on.value),
        AdapterChange::RemoveForward(name) => format!("{slot} without {}", name.value),
        other => format!("{other:?}"),
    }
}

#[test]
fn both_spellings_say_the_same() {
    let check = |line: &str, expected: &[&str]| {
        let (_, out) = read(line);
        assert!(out.diagnostics.is_empty(), "{line}: {:?}", out.diagnostics);
        assert_eq!(out.value.iter().map(shown).collect::<Vec<_>>(), expected, "{line}");
    };
    let web = ["웹 0 web tcp None:8080 None:80"];
    check("VBoxManage modifyvm 웹 --natpf1 web,tcp,,8080,,80", &web);
    check("vboxmanage modifyvm 웹 --nat-pf1 \"web,TCP,0.0.0.0,8080,,80\"", &web);
    check("VBoxManage -q modifyvm 웹 --nat-pf1=web,tcp,,8080,,80", &web);
    check("sudo /usr/bin/VBoxManage controlvm 웹 natpf1 'web,tcp,,8080,,80'", &web);
    check(
        "VBoxManage modifyvm a --natpf2 ,udp,127.0.0.1,53,10.0.2.9,54",
        &["a 1 udp_53_54 udp Some(127.0.0.1):53 Some(10.0.2.9):54"],
    );
    check("VBoxManage modifyvm a --natpf1 delete web", &["0 without web"]);
    check("VBoxManage controlvm a natpf1 delete web", &["0 without web"]);
    check("VBoxManage controlvm a natpf1delete web", &["0 without web"]);
    check(
        "VBoxManage modifyvm a --nic2 hostonly --hostonlyadapter2 vboxnet0 --cableconnected2 off",
        &["a 1 HostOnly", "a 1 at HostOnly", "a 1 false"],
    );
    check(
        "VBoxManage modifyvm a --nic2 HostOnlyNet --host-only-net2 n --memory 512 --uart1 0x3f8 4 --nictype2 virtio",
        &["a 1 HostOnlyNetwork", "a 1 at HostOnlyNetwork"],
    );
    check("VBoxManage controlvm a nic3 bridged en0", &["a 2 at Bridged", "a 2 Bridged"]);
    check("VBoxManage controlvm a setlinkstate1 off", &["a 0 false"]);
    check("VBoxManage controlvm a poweroff; VBoxManage startvm a --type headless; VBoxManage list vms", &[]);
    check(
        "VBoxManage natnetwork add --netname n --network 10.7.0.0/24 --enable --port-forward-4 'a:tcp:[]:1:[10.7.0.4]:2'",
        &["Added n Some(\"10.7.0.0/24\") Some(true) 1 0"],
    );
    check(
        "VBoxManage natnetwork modify --netname n --port-forward-4 delete a --disable",
        &["Changed n None Some(false) 0 1"],
    );
    check("VBoxManage hostonlyif ipconfig vboxnet0 --ip 192.168.60.1", &["Changed vboxnet0 Some(\"192.168.60.1/24\")"]);
    check(
        "VBoxManage hostonlynet add --name=n --netmask=255.255.255.0 --lower-ip=192.168.57.2 --upper-ip=192.168.57.9",
        &["Added n Some(\"192.168.57.2/24\")"],
    );
    check(
        "VBoxManage dhcpserver modify --interface vboxnet0 --lowerip 10.0.0.4 --upperip 10.0.0.9",
        &["Changed HostInterfaceNetworking-vboxnet0 Some(\"10.0.0.4\")"],
    );
    check("VBoxManage createvm --name a --register && VBoxManage unregistervm a --delete", &["Create", "Remove"]);
}

#[test]
fn what_virtualbox_refuses_is_pointed_at() {
    let check = |line: &str, code: Code, place: &str, help: &str| {
        let (sources, out) = read(line);
        let found: Vec<_> = out
            .diagnostics
            .iter()
            .map(|d| (d.code, sources.text(d.labels[0].span), d.help.clone().unwrap_or_default()))
            .collect();
        let [(found_code, found_place, found_help)] = found.as_slice() else { panic!("{line}: {:?}", out.diagnostics) };
        assert_eq!((*found_code, *found_place), (code, place), "{line}");
        assert!(found_help.contains(help), "{line}: {found_help}");
        assert!(out.value.is_empty(), "{line}: {:?}", out.value);
    };
    check("VBoxManage modifyvm 웹 --natpf1 a,tcp,,70000,,80", Code::BadPort, "70000", "4464");
    check("VBoxManage modifyvm 웹 --natpf1 a,tcp,,0,,80", Code::BadPort, "0", "");
    check("VBoxManage modifyvm a --natpf1 a,tcp,localhost,80,,80", Code::BadAddress, "localhost", "literal");
    check("VBoxManage modifyvm a --natpf1 a,icmp,,80,,80", Code::VboxBadValue, "icmp", "udp");
    check("VBoxManage modifyvm a --natpf1 a,tcp,,80", Code::VboxBadValue, "a,tcp,,80", "like");
    check("VBoxManage modifyvm a --natnet1 foo", Code::BadAddress, "foo", "10.0.3.0/24");
    check("VBoxManage modifyvm a --nic1 hostonyl", Code::VboxBadValue, "hostonyl", "did you mean `hostonly`?");
    check("VBoxManage modifyvm a --nicc1 nat", Code::VboxUnknownFlag, "--nicc1", "did you mean `--nic`?");
    check("VBoxManage modifyvm a --nat-fp1 x", Code::VboxUnknownFlag, "--nat-fp1", "did you mean `--nat-pf`?");
    check("VBoxManage modifyvm a --nic0 nat", Code::VboxBadValue, "--nic0", "from 1");
    check("VBoxManage modifyvm a --cableconnected1 maybe", Code::VboxBadValue, "maybe", "refuses");
    check("VBoxManage modivym a --nic1 nat", Code::VboxUnknownFlag, "modivym", "did you mean `modifyvm`?");
    check("VBoxManage natnetwork ad --netname n", Code::VboxUnknownFlag, "ad", "did you mean `add`?");
    check(
        "VBoxManage natnetwork add --netname n --network 10.0.3.5/24",
        Code::BadAddress,
        "10.0.3.5/24",
        "10.0.3.0/24",
    );
    check(
        "VBoxManage natnetwork modify --netname n --port-forward-4 'p:tcp:[]:1:[]:2'",
        Code::VboxBadValue,
        "p:tcp:[]:1:[]:2",
        "cannot be left out",
    );
    check(
        "VBoxManage natnetwork modify --netname n --port-forward-4 'p:tcp:[]:70000:[10.0.3.4]:2'",
        Code::BadPort,
        "70000",
        "",
    );
    check(
        "VBoxManage natnetwork modify --netname n --loopback-4 10.0.0.1=2",
        Code::VboxBadValue,
        "10.0.0.1=2",
        "127.0.0.1=2",
    );
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let check = |line: &str, expected: &[&str]| {
        let (_, out) = read(line);
        assert_eq!(out.value.iter().map(shown).collect::<Vec<_>>(), expected, "{line}");
        assert_eq!(out.diagnostics.len(), expected.len(), "{line}: {:?}", out.diagnostics);
    };
    check("VBoxManage modifyvm \"$1\" --nic1 nat", &["unmodeled `VBoxManage modifyvm`"]);
    check("VBoxManage import box.ova", &["unmodeled `VBoxManage import`"]);
    check("VBoxManage snapshot a restore clean", &["unmodeled `VBoxManage snapshot`"]);
    check("VBoxManage snapshot a take clean", &[]);
    check(
        "VBoxManage setextradata a VBoxInternal/Devices/e1000/0/LUN#0/Config/x/Protocol TCP",
        &["unmodeled `VBoxManage setextradata`"],
    );
    check("VBoxManage setextradata a GUI/Fullscreen true", &[]);
}

#[test]
fn damaged_lines_never_panic() {
    let line = "VBoxManage modifyvm 웹 --natpf1 \"웹,tcp,,80,,80\" --nic2 --natpf delete; VBoxManage natnetwork add --port-forward-4 [[:]:";
    for cut in (0..line.len()).filter(|cut| line.is_char_boundary(*cut)) {
        read(&line[..cut]);
        read(&line[cut..]);
    }
}
