//! What Vagrantfiles say, against the Ruby interpreter: `recorded` beside each file of the corpus was written by
//! tests/vagrant/recorder.rb, which stands in for Vagrant.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::record::Call;
use super::value::Value;
use super::*;
use crate::source::Sources;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vagrant")
}

/// Every Vagrantfile of the corpus, by name of its directory.
fn vagrantfiles() -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(corpus().join("corpus")).unwrap();
    let mut all: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    all.sort();
    all
}

fn file(sources: &mut Sources, path: &str, text: &str) -> File {
    let text: Arc<str> = text.into();
    File { source: sources.add(path, &text), path: path.to_owned(), whole: Arc::clone(&text), text }
}

/// What is said to all machines and to each, without what is not certain.
fn recording(directory: &Path) -> String {
    let mut sources = Sources::default();
    let text = fs::read_to_string(directory.join("Vagrantfile")).unwrap();
    let vagrantfile = file(&mut sources, "Vagrantfile", &text);
    let recording = evaluate(&vagrantfile, &mut |path| {
        fs::read_to_string(directory.join(path)).ok().map(|text| file(&mut sources, path, &text))
    });
    let mut out = "all machines\n".to_owned();
    dump(&recording.common.borrow(), 1, &mut out);
    for (name, calls) in &recording.machines {
        out += &format!("machine {}\n", name.value);
        dump(&calls.borrow(), 1, &mut out);
    }
    out.lines().filter(|line| !line.trim_start().starts_with("? ")).map(|line| format!("{line}\n")).collect()
}

/// Whether each line is the recorded one; `…` stands for what is not known.
fn agrees(ours: &str, recorded: &str) -> bool {
    let same = |(ours, recorded): (&str, &str)| match ours.split_once('…') {
        Some((before, after)) => {
            let end = after.rsplit('…').next().unwrap_or(after);
            recorded.starts_with(before) && recorded.ends_with(end)
        }
        None => ours == recorded,
    };
    ours.lines().count() == recorded.lines().count() && ours.lines().zip(recorded.lines()).all(same)
}

#[test]
fn what_is_said_to_vagrant_is_what_ruby_says() {
    let (mut wrong, mut unknown) = (String::new(), 0);
    for (name, directory) in vagrantfiles() {
        let recorded = fs::read_to_string(directory.join("recorded")).unwrap();
        let ours = recording(&directory);
        unknown += ours.matches('…').count();
        if !agrees(&ours, &recorded) {
            wrong += &format!("== {name}\n-- Ruby\n{recorded}-- ours\n{ours}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    // Values that Ruby knows and we do not: `"n9".succ`, the greatest of a list, a modulo.
    assert_eq!(unknown, 3);
}

/// Where there is a Ruby, the recordings are still what it says.
#[test]
fn recordings_are_fresh() {
    for (name, directory) in vagrantfiles() {
        let mut ruby = Command::new("ruby");
        let path = std::env::var_os("PATH").unwrap_or_default();
        ruby.args(["-W0"]).arg(corpus().join("recorder.rb")).arg(directory.join("Vagrantfile"));
        let Ok(output) = ruby.env_clear().env("PATH", path).output() else { return };
        let recorded = fs::read_to_string(directory.join("recorded")).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), recorded, "{name}");
    }
}

/// Calls as text, one a line, those in blocks indented.
fn dump(calls: &[Call], depth: usize, out: &mut String) {
    for call in calls {
        let mut parts: Vec<String> = call.arguments.iter().map(|a| shown(&a.value, 0)).collect();
        parts.extend(call.options.iter().map(|(key, argument)| format!("{key}: {}", shown(&argument.value, 0))));
        let doubt = if call.doubt.is_some() { "? " } else { "" };
        let line = format!("{:indent$}{doubt}{} {}", "", call.method, parts.join(", "), indent = depth * 2);
        let _ = writeln!(out, "{}", line.trim_end());
        dump(&call.inside.borrow(), depth + 1, out);
    }
}

/// A value as Ruby's `inspect` writes it, except that symbols and strings are written alike on keys.
fn shown(value: &Value, depth: usize) -> String {
    match value {
        _ if depth > 16 => "…".to_owned(),
        Value::Nil => "nil".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Str(text) => quoted(text.as_str()),
        Value::Symbol(name) => format!(":{name}"),
        Value::Range(first, last) => format!("{first}..{last}"),
        Value::List(items) => {
            let items: Vec<String> = items.borrow().iter().map(|item| shown(item, depth + 1)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Hash(pairs) => {
            let pair =
                |(key, value): &(Value, Value)| format!("{} => {}", shown(key, depth + 1), shown(value, depth + 1));
            let pairs: Vec<String> = pairs.borrow().iter().map(pair).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Regex(source) => format!("/{source}/"),
        Value::Config(_) => "config".to_owned(),
        Value::Module(name) => name.clone(),
        Value::Lambda(_) | Value::Unknown => "…".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t"))
}

/// What is declared and complained about, with the places in the Vagrantfile.
fn places(text: &str) -> String {
    let mut sources = Sources::default();
    let vagrantfile = file(&mut sources, "Vagrantfile", text);
    let read = parse(&vagrantfile, &mut |_| None);
    let mut out = String::new();
    for declaration in read.value.iter().flatten() {
        match declaration {
            Declaration::Container(container) => {
                let name = container.name.as_ref().map_or("", |name| sources.text(name.span));
                let ports: Vec<&str> = container.publishes.iter().map(|p| sources.text(p.span)).collect();
                writeln!(out, "container {name:?} publishes {ports:?}").unwrap();
            }
            Declaration::FirewallCmd(change) => writeln!(out, "firewall {:?}", sources.text(change.span)).unwrap(),
            Declaration::MachineChange(change) => writeln!(out, "change {:?}", sources.text(change.span)).unwrap(),
            Declaration::Unmodeled(what) => writeln!(out, "unmodeled {:?}", sources.text(what.span)).unwrap(),
            _ => {}
        }
    }
    for diagnostic in &read.diagnostics {
        let labels: Vec<&str> = diagnostic.labels.iter().map(|label| sources.text(label.span)).collect();
        writeln!(out, "{}: {} {labels:?}", diagnostic.code, diagnostic.message).unwrap();
    }
    out
}

/// A Vagrantfile with these lines in its block.
fn in_block(lines: &str) -> String {
    format!("Vagrant.configure('2') do |config|\n  config.vm.box = '한글'\n{lines}\nend\n")
}

#[test]
fn what_scripts_say_keeps_its_place_in_the_vagrantfile() {
    let check = |lines: &str, expected: &str| assert_eq!(places(&in_block(lines)), expected, "{lines}");
    check(
        "config.vm.provision 'shell', inline: <<~SH\n  # 포트\n  docker run --name web -p 80:80 \\\n    nginx\n  firewall-cmd --add-port=80/tcp\nSH",
        "container \"web\" publishes [\"80:80\"]\nfirewall \"--add-port=80/tcp\"\n",
    );
    check(
        "port = 8080\nconfig.vm.provision 'shell', inline: \"docker run --name \\\"ab\\\" -p #{port}:80 nginx\"",
        "container \"\\\\\\\"ab\\\\\\\"\" publishes [\"#{port}:80\"]\n",
    );
    check(
        "config.vm.provision('shell', env: {PORT: 81}, args: ['bb'], inline: 'docker run --name $1 -p $PORT:80 nginx')",
        "container \"$1\" publishes [\"$PORT:80\"]\n",
    );
    check(
        "config.vm.provision :docker do |d|\n  d.run 'cc', image: 'nginx', args: '-p 82:80'\nend",
        "container \"'cc'\" publishes [\"82:80\"]\n",
    );
    check(
        "config.vm.provider('virtualbox') { |vb| vb.customize ['modifyvm', :id, '--cableconnected1', 'off'] }",
        "change \"--cableconnected1', 'off\"\n",
    );
    check(
        "config.vm.provision 'shell', inline: \"#{ENV['HOME']}\\ndocker run -p #{`x`}:80 nginx\"",
        "unmodeled \"docker run -p #{`x`}:80 nginx\"\nunmodeled \"#{ENV['HOME']}\"\n\
         canreach::shell::unmodeled: not modelled: a container whose `--publish` is not known \
         [\"docker run -p #{`x`}:80 nginx\"]\n\
         canreach::vagrant::not_followed: not followed: a command that is known only when Vagrant runs \
         [\"#{ENV['HOME']}\"]\n",
    );
}

#[test]
fn what_cannot_be_followed_is_named_and_the_rest_is_read() {
    let check = |lines: &str, expected: &str| {
        let out = places(&in_block(lines));
        assert!(out.lines().any(|line| line == expected), "{lines}:\n{out}");
    };
    check(
        "config.vm.network :forwarded_port, guest: 80, host: rand(9)",
        "unmodeled \"config.vm.network :forwarded_port, guest: 80, host: rand(9)\"",
    );
    check("config.vm.network x, guest: 80, host: 81", "unmodeled \"config.vm.network x, guest: 80, host: 81\"");
    check(
        "if x\n  config.vm.network 'private_network', type: 'dhcp'\nend",
        "unmodeled \"config.vm.network 'private_network', type: 'dhcp'\"",
    );
    check("x.each { |n| config.vm.define n }", "unmodeled \"config.vm.define n\"");
    check("configure_it(config)", "unmodeled \"configure_it(config)\"");
    check(
        "config.vm.provision 'ansible', playbook: 'x.yml'",
        "unmodeled \"config.vm.provision 'ansible', playbook: 'x.yml'\"",
    );
    check("config.vm.provision 'shell', path: 'no.sh'", "unmodeled \"'no.sh'\"");
    check("config.vm.provider('virtualbox') { |v| v.customize x }", "unmodeled \"v.customize x\"");
    check(
        "config.vm.network :forwarded_port, guest: 80, host: 70000",
        "canreach::net::bad_port: `70000` is not a port [\"70000\"]",
    );
    check(
        "config.vm.network :private_network, ip: '192.168.56.300'",
        "canreach::vagrant::bad_value: `192.168.56.300` is not an address [\"'192.168.56.300'\"]",
    );
    check(
        "config.vm.network :forwarded_port, guest: 80, host: 81 host_ip: 'a'",
        "canreach::ruby::syntax: Ruby would not understand this [\"host_ip\", \":\"]",
    );
}

#[test]
fn every_program_ends() {
    for body in [
        "a = 'x'\n64.times { a = a + a }\nconfig.vm.hostname = a",
        "a = []\n100000.times { a = [a] }",
        "a = []; b = [a]; a << b; config.vm.provision 'shell', args: a",
        "a = [1]\n64.times { a = a + a }",
        "h = {}\nh['h'] = h\nconfig.vm.provision 'shell', args: h",
        "def f(x) = f(x)\nf(1)",
        "f = ->(x) { f.call(x) }\nf.call(1)",
        "(1..1000000000000).each { |i| config.vm.define \"n#{i}\" }",
        "loop { config.vm.define 'a' }\nwhile true do end",
        "require_relative 'Vagrantfile'\nload 'Vagrantfile'",
        "'x' * 1000000000 * 1000000000\n[1] * 9999999999\n2 ** 99999\n1 << 99999\n7 / 0\n7 % 0\n'%999999999d' % 1\n'%' % 1",
        "config.vm.network :private_network, ip: '192.168.56.1', netmask: '1.2.3.4'\nconfig.vm.network :private_network, adapter: -5, ip: '10.0.0.0'",
    ] {
        for text in [in_block(body), body.to_owned()] {
            let mut sources = Sources::default();
            let vagrantfile = file(&mut sources, "Vagrantfile", &text);
            parse(&vagrantfile, &mut |_| Some(vagrantfile.clone()));
        }
    }
    for start in (0..VARIED.len()).filter(|at| VARIED.is_char_boundary(*at)) {
        places(&VARIED[start..]);
        places(&VARIED[..start]);
    }
}

/// Cut anywhere, it is a bad Vagrantfile.
const VARIED: &str = "포 = [1, 'b', {c: 2}]\nVagrant.configure(2) do |c|\n  포.each_with_index { |x, i| c.vm.define \"n#{i}\" do |n|\n    n.vm.network :private_network, ip: \"192.168.56.#{i + 2}\"\n    n.vm.provision 'shell', inline: <<~S\n      docker run -p #{i}80:80 \\\n 한글\n    S\n  end }\nend\n";
