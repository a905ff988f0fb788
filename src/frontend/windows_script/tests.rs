//! Scripts of Windows -> what they state, with the places.

use crate::frontend::shell::{self, Variables};
use crate::lab::Declaration;
use crate::source::Sources;

use super::*;

/// What a script states, each with the text that says so, and messages.
fn check(read: fn(SourceId, &str) -> PlacedText, text: &str, expected: &[&str]) {
    let mut sources = Sources::default();
    let source = sources.add("setup.bat", text);
    let declarations = shell::parse_placed(&read(source, text), Variables::new());
    let mut shown: Vec<String> = Vec::new();
    for declaration in &declarations.value {
        shown.push(match declaration {
            Declaration::MachineChange(d) => format!("{} <{}>", d.machine.value, sources.text(d.span)),
            Declaration::Tunnel(t) => format!("proxy {} <{}>", t.listen_port, sources.text(t.to.span)),
            Declaration::Container(c) => {
                let ports = c.publishes.iter().map(|p| sources.text(p.span));
                format!("container {}", ports.collect::<Vec<_>>().join(" "))
            }
            Declaration::Unmodeled(what) => format!("unmodeled {} <{}>", what.value, sources.text(what.span)),
            other => format!("{other:?}"),
        });
    }
    shown.extend(declarations.diagnostics.iter().map(|problem| problem.message.to_string()));
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn command_lines_of_cmd() {
    let check = |text, expected| check(batch, text, expected);
    check(
        "@echo off\r\nrem VBoxManage modifyvm no --nic1 nat\r\n:: 설명\r\nset VM=web\r\nset \"PF=ssh,tcp,,2222,,22\"\r\n\
         \"C:\\Program Files\\Oracle\\VirtualBox\\VBoxManage.exe\" modifyvm %vm% ^\r\n  --natpf1 \"%PF%\" >nul 2>&1\r\n",
        &["web <--natpf1 \"%PF%\">"],
    );
    check(
        "vboxmanage modifyvm \"내 머신\" --natpf1 \"a,tcp,,8080,,80\" && netsh interface portproxy add v4tov4 listenport=80 \
         connectaddress=10.0.0.1 connectport=8080\n",
        &["내 머신 <--natpf1 \"a,tcp,,8080,,80\">", "proxy 80 <10.0.0.1>"],
    );
    check(
        "set VBOX=\"%ProgramFiles%\\Oracle\\VirtualBox\\VBoxManage.exe\"\n%VBOX% modifyvm web --natpf1 \"a,tcp,,80,,80\"\n",
        &["web <--natpf1 \"a,tcp,,80,,80\">"],
    );
    check(
        "docker run -d -p 8080:80 nginx & docker run -d -p 8081:80 nginx",
        &["container 8080:80", "container 8081:80"],
    );
    check("cd /d C:\\x\n(\nVBoxManage list vms\n)\necho (done)\nstart \"\" VBoxManage startvm web", &[]);
    check("wsl -d Ubuntu -- ls\ncall VBoxManage list vms\nexit /b 0\nVBoxManage modifyvm x --nic1 nat", &[]);
}

#[test]
fn what_cmd_decides_when_it_runs_is_said() {
    let check = |text, expected| check(batch, text, expected);
    check(
        "VBoxManage modifyvm %1 --nic1 nat",
        &["unmodeled `VBoxManage modifyvm` <modifyvm %1 --nic1 nat>", "not modelled: `VBoxManage modifyvm`"],
    );
    let line = "VBoxManage modifyvm x --nic1 nat";
    let doubtful = format!("unmodeled `VBoxManage modifyvm x …` only under a condition <{line}>");
    let said = "not modelled: `VBoxManage modifyvm x …` only under a condition";
    for text in [
        format!("if not exist x (\n  {line}\n)\n"),
        format!("if exist x {line}"),
        format!("ver || {line}"),
        format!("goto next\n{line}"),
        format!("call :part\n{line}"),
        format!(":again\n{line}"),
        format!("if a==b goto next\n{line}"),
    ] {
        let source = Sources::default().add("setup.bat", &text);
        let read = shell::parse_placed(&batch(source, &text), Variables::new());
        let [Declaration::Unmodeled(what)] = read.value.as_slice() else { panic!("{text}: {:?}", read.value) };
        assert!(doubtful.contains(&what.value), "{text}: {}", what.value);
        assert_eq!(read.diagnostics.first().map(|d| d.message.to_string()).as_deref(), Some(said), "{text}");
    }
    let failures = format!("if errorlevel 1 goto failed\nver || goto :failed\n{line}\n");
    check(&failures, &["x <--nic1 nat>"]);
    check("echo docker run -p 80:80 nginx\nmkdir C:\\docker\n", &[]);
    check("if 1==1 (\n  for %%i in (a b) do echo %%i\n)\nVBoxManage modifyvm x --nic1 nat\n", &["x <--nic1 nat>"]);
    check("call other.bat\n", &["the script `other.bat` is not followed"]);
    check(
        "wsl docker run -p 80:80 nginx\n",
        &["unmodeled `wsl docker run -p …` <wsl docker run -p 80:80 nginx>", "not modelled: `wsl docker run -p …`"],
    );
}

#[test]
fn command_lines_of_powershell() {
    let check = |text, expected| check(power_shell, text, expected);
    check(
        "<# VBoxManage modifyvm no --nic1 nat #>\n# 설명\n$vm = \"web\"\n$rule = 'ssh,tcp,,2222,,22'\n\
         & \"C:\\Program Files\\Oracle\\VirtualBox\\VBoxManage.exe\" modifyvm $vm `\n  --natpf1 $rule\n",
        &["web <--natpf1 $rule>"],
    );
    check(
        "$vbox = \"$env:ProgramFiles\\Oracle\\VirtualBox\\VBoxManage.exe\"\n& $vbox modifyvm web --natpf1 'a,tcp,,80,,80'\n",
        &["web <--natpf1 'a,tcp,,80,,80>"],
    );
    check(
        "$b = Join-Path $env:ProgramFiles 'VBoxManage.exe'\n& $b modifyvm web --natpf1 'a,tcp,,80,,80'\n",
        &["web <--natpf1 'a,tcp,,80,,80>"],
    );
    check(
        "try {\n  VBoxManage modifyvm \"a b\" --natpf1 \"${vm}x,tcp,,8080,,80\"\n} catch { exit 1 }\n",
        &[
            "unmodeled `VBoxManage modifyvm` <modifyvm \"a b\" --natpf1 \"${vm}x,tcp,,8080,,80>",
            "not modelled: `VBoxManage modifyvm`",
        ],
    );
    check(
        "netsh interface portproxy add v4tov4 listenport=80 connectaddress=$ip; docker run -p 1:80 nginx | Out-Null",
        &[
            "unmodeled a port proxy of which not everything is known, or for IPv6 <netsh interface portproxy add v4tov4 listenport=80 connectaddress=$ip>",
            "container 1:80",
            "not modelled: a port proxy of which not everything is known, or for IPv6",
        ],
    );
    check("$ip = (wsl hostname -I).Trim()\n$x = VBoxManage list vms\nWrite-Host \"$x $(docker ps)\"", &[]);
    check(
        "if ($a) { VBoxManage modifyvm x --nic1 nat }",
        &[
            "unmodeled `VBoxManage modifyvm x …` only under a condition <VBoxManage modifyvm x --nic1 nat>",
            "not modelled: `VBoxManage modifyvm x …` only under a condition",
        ],
    );
    check("exit\nVBoxManage modifyvm x --nic1 nat", &[]);
    check("\"\" '' ` $ ${ @( ( { } ) \"unclosed", &[]);
}
