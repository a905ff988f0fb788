//! Command lines of ssh in scripts.

use crate::frontend::shell;
use crate::lab::Declaration;
use crate::lab::tunnel::TunnelKind;
use crate::source::Sources;

fn check(line: &str, expected: &[&str]) {
    let mut sources = Sources::default();
    let read = shell::parse(sources.add("up.sh", line), line);
    let mut said: Vec<String> = read.value.iter().map(describe).collect();
    let problems = read.diagnostics.iter().filter(|d| !d.message.starts_with("not modelled"));
    said.extend(problems.map(|d| format!("{} <{}>", d.message, sources.text(d.labels[0].span))));
    assert_eq!(said, expected, "{line}");
}

fn describe(declaration: &Declaration) -> String {
    let tunnel = match declaration {
        Declaration::Tunnel(tunnel) => tunnel,
        Declaration::Unmodeled(what) => return format!("not modelled: {}", what.value),
        other => return format!("{other:?}"),
    };
    let (way, server) = match &tunnel.kind {
        TunnelKind::Local(server) => ("local", server),
        TunnelKind::Remote(server) => ("remote", server),
        TunnelKind::Here => return "proxy".to_owned(),
    };
    let address = tunnel.listen_address.map_or("*".to_owned(), |address| address.to_string());
    let to = format!("{}:{}", tunnel.to.value, tunnel.to_port);
    format!("{way} {address}:{} to {to} through {}:{}", tunnel.listen_port, server.name.value, server.port)
}

#[test]
fn tunnels_are_read() {
    check("ssh -L 8080:localhost:3000 rocky", &["local 127.0.0.1:8080 to localhost:3000 through rocky:22"]);
    check(
        "ssh -fNL8080:db:5432 -p 2222 vagrant@127.0.0.1",
        &["local 127.0.0.1:8080 to db:5432 through 127.0.0.1:2222"],
    );
    check(
        "ssh vagrant@rocky -N -L '*:80:[::1]:81' -L 0.0.0.0:82:a:83",
        &["local *:80 to ::1:81 through rocky:22", "local 0.0.0.0:82 to a:83 through rocky:22"],
    );
    check("ssh -g -L 80:a:81 ssh://me@rocky:2200", &["local *:80 to a:81 through rocky:2200"]);
    check(
        "autossh -M 0 -N -R 9000:localhost:9001 rocky",
        &["remote 127.0.0.1:9000 to localhost:9001 through rocky:22"],
    );
    check("ssh rocky docker run -d -L 8080:x:1 nginx", &[]);
    check("ssh rocky", &[]);
}

#[test]
fn what_has_no_model_or_is_refused_is_said() {
    check("ssh -D 1080 rocky", &["not modelled: `ssh -D 1080`"]);
    check("ssh -R 0.0.0.0:80:localhost:80 rocky", &["not modelled: `ssh -R 0.0.0.0:80:localhost:80`"]);
    check("ssh -R 8080 rocky", &["not modelled: `ssh -R 8080`"]);
    check("ssh -J jump -L 80:a:81 rocky", &["not modelled: `ssh -L 80:a:81`"]);
    check("ssh -L 80:a:81 \"$SERVER\"", &["not modelled: `ssh -L 80:a:81`"]);
    check("ssh -L /tmp/s:/tmp/t rocky", &["not modelled: `ssh -L /tmp/s:/tmp/t`"]);
    check("ssh -L 70000:a:81 rocky", &["`70000` is not a port <70000>"]);
    check("ssh -L 80:a rocky", &["`80:a` is not a tunnel <80:a>"]);
}
