//! Command lines of docker and what is read from them.

use crate::diagnostic::Code;
use crate::frontend::shell;
use crate::lab::Declaration;
use crate::lab::declaration::{ContainerDecl, Declarations, EngineDecl, FreedDecl, NetworkDecl};
use crate::lab::{GatewayMode, HostEvent, RuleBackend};
use crate::source::Sources;

fn read(text: &str) -> (Sources, Declarations) {
    let mut sources = Sources::default();
    let id = sources.add("up.sh", text);
    (sources, shell::parse(id, text))
}

/// A container in one line: name, image, networks, ports, command.
fn shown(c: &ContainerDecl) -> String {
    let mut parts = Vec::new();
    parts.extend(c.name.iter().map(|n| format!("name={}", n.value)));
    parts.extend(c.image.iter().map(|i| format!("image={}", i.value)));
    parts.extend(c.mode.iter().map(|m| format!("mode={:?}", m.value)));
    for n in &c.networks {
        let address = n.address.map_or(String::new(), |a| format!("@{}", a.value));
        let aliases = n.aliases.iter().map(|a| format!("+{a}")).collect::<String>();
        parts.push(format!("net={}{address}{aliases}", n.network.value));
    }
    for p in &c.publishes {
        let address = p.host_address.map_or(String::new(), |a| format!("{a}:"));
        let host = p.host_ports.map_or("any".to_owned(), |h| h.to_string());
        parts.push(format!("{address}{host}->{}/{}", p.container_ports, p.protocol));
    }
    parts.extend(c.publish_all.map(|_| "all".to_owned()));
    parts.extend(c.exposes.iter().map(|e| format!("expose={}/{}", e.value.1, e.value.0)));
    parts.extend(c.links.iter().map(|l| format!("link={}:{}", l.value.0, l.value.1)));
    parts.extend(c.extra_hosts.iter().map(|(n, a)| format!("host={}:{a}", n.value)));
    if !c.command.is_empty() {
        parts.push(format!("run={}", c.command.iter().map(|w| w.value.as_str()).collect::<Vec<_>>().join("|")));
    }
    parts.join(" ")
}

fn containers(out: &Declarations) -> Vec<String> {
    let container = |d: &Declaration| match d {
        Declaration::Container(c) => Some(shown(c)),
        _ => None,
    };
    out.value.iter().filter_map(container).collect()
}

#[track_caller]
fn check(line: &str, expected: &str) {
    let (_, out) = read(line);
    assert_eq!(out.diagnostics.len(), 0, "{:?}", out.diagnostics);
    assert_eq!(containers(&out), [expected], "{:?}", out.value);
    assert_eq!(out.value.len(), 1, "{:?}", out.value);
}

#[test]
fn ports_are_published_in_every_spelling() {
    check("docker run -d --name gf -p 3000:3000 grafana/grafana", "name=gf image=grafana/grafana 3000->3000/tcp");
    check("docker run -p8080:80 nginx", "image=nginx 8080->80/tcp");
    check("docker run -p=8080:80/udp nginx", "image=nginx 8080->80/udp");
    check("docker run --publish=127.0.0.1:8080:80 nginx", "image=nginx 127.0.0.1:8080->80/tcp");
    check("docker run --publish 80 nginx", "image=nginx any->80/tcp");
    check("docker container run -itp 80:80 nginx", "image=nginx 80->80/tcp");
    check("docker create -dP nginx", "image=nginx all");
    check("docker run -P --publish-all=false nginx", "image=nginx");
    check("docker run -p target=80,published=8080,protocol=udp,mode=host nginx", "image=nginx 8080->80/udp");
    check("docker run --publish published=127.0.0.1:8080,target=80 nginx", "image=nginx 127.0.0.1:8080->80/tcp");
    check("docker run -p 8000-8002:80-82 -p 53:53/udp x", "image=x 8000-8002->80-82/tcp 53->53/udp");
    check("sudo -E docker -l debug run '-p' \"1:2\" x", "image=x 1->2/tcp");
}

#[test]
fn what_follows_the_image_belongs_to_the_program() {
    check("docker run -it alpine nc -l -p 4000", "image=alpine run=nc|-l|-p|4000");
    check("docker run --rm -- alpine -p 1:1", "image=alpine run=-p|1:1");
    check("docker run --entrypoint sh alpine -c 'a b'", "image=alpine run=sh|-c|a b");
}

#[test]
fn options_with_values_do_not_swallow_the_image() {
    let line = "docker run -d --restart unless-stopped -e A=1 --env B=2 -v /a:/b -m 512m --cpus 2 -u 1000:1000 -w /x \
                --log-opt max-size=1m --health-cmd 'curl -f x' --cap-add NET_ADMIN --privileged --init --read-only \
                --label a=b -l c --gpus all --pull always --ulimit nofile=1:1 --shm-size 1g --dns 1.1.1.1 \
                --mount type=bind,src=/a,dst=/b --tmpfs /t --stop-timeout 5 --security-opt x --pid host --ipc host img";
    check(line, "image=img");
}

#[test]
fn networks_in_every_spelling() {
    check("docker run --net lab x", "image=x net=lab");
    check(
        "docker run --network=lab --ip 172.30.0.9 --network-alias db --net-alias=d x",
        "image=x net=lab@172.30.0.9+db+d",
    );
    check(
        "docker run --network name=lab,alias=a,alias=b,ip=10.1.0.5 --network n2 x",
        "image=x net=lab@10.1.0.5+a+b net=n2",
    );
    check("docker run --network host x", "image=x mode=Host");
    check("docker run --net=none x", "image=x mode=None");
    check("docker run --net=container:db x", "image=x mode=Container(\"db\")");
    check("docker run --network bridge x", "image=x mode=Bridge");
    check(
        "docker run --link db:mysql --link redis --expose 90/udp x",
        "image=x expose=90/udp link=db:mysql link=redis:redis",
    );
    check("docker run --add-host a:10.0.0.1 --add-host b=10.0.0.2 -h web x", "image=x host=a:10.0.0.1 host=b:10.0.0.2");
}

#[test]
fn places_are_exact() {
    let text = "# 컨테이너\ndocker run \\\n  --publish=\"127.0.0.1:80:80\" --name 'grafana' --label 그라파나 \\\n  grafana/grafana\n";
    let (sources, out) = read(text);
    let [Declaration::Container(c)] = out.value.as_slice() else { panic!("{:?}", out.value) };
    assert_eq!(sources.text(c.publishes[0].span), "127.0.0.1:80:80");
    assert_eq!(sources.text(c.name.as_ref().unwrap().span), "'grafana'");
    assert_eq!(sources.text(c.image.as_ref().unwrap().span), "grafana/grafana");
    assert!(sources.text(c.span).starts_with("docker run") && sources.text(c.span).ends_with("grafana/grafana"));
    let at = c.publish_at.as_ref().unwrap();
    let fixed = format!("{}{}{}", &text[..at.at.start], at.text("3000:3000"), &text[at.at.end..]);
    assert!(fixed.contains("docker run -p 3000:3000 \\\n"), "{fixed}");
    let at = c.network_at.as_ref().unwrap();
    assert_eq!((at.at.start, at.text("lab").as_str()), (at.at.end, " --network lab"));
}

#[test]
fn mistakes_are_pointed_at() {
    let check = |line: &str, code: Code, place: &str, help: &str| {
        let (sources, out) = read(line);
        let d = out.diagnostics.first().unwrap_or_else(|| panic!("no message for {line}"));
        assert_eq!((d.code, sources.text(d.labels[0].span)), (code, place), "{}", d.message);
        assert!(d.help.as_deref().unwrap_or("").contains(help), "{:?}", d.help);
    };
    check("docker run --pubish 1:1 x", Code::DockerUnknownFlag, "--pubish", "did you mean `--publish`?");
    check("docker run -Z x", Code::DockerUnknownFlag, "-Z", "refuses");
    check("docker run --name", Code::DockerBadFlag, "--name", "");
    check("docker run -d", Code::DockerBadFlag, "docker run -d", "");
    check("docker run --network lab --ip 1.2.3 x", Code::BadAddress, "1.2.3", "");
    check("docker run -p '1:2:3:4' x", Code::BadAddress, "1:2", "");
    check("docker run --expose x y", Code::BadPort, "x", "no container");
    check("docker run --name a x", Code::DockerBadFlag, "a", "no container");
    check("docker run --name '가나' x", Code::DockerBadFlag, "'가나'", "");
    check("docker run --network-alias db x", Code::DockerBadFlag, "db", "");
    check("docker run --ip 10.0.0.2 x", Code::DockerBadFlag, "10.0.0.2", "");
    check("docker run --network n --network n x", Code::DockerBadFlag, "n", "");
    check("docker run --network container:db -p 1:1 x", Code::DockerBadFlag, "-p 1:1", "");
    check("docker run --network host --link db x", Code::DockerBadFlag, "--link db", "");
    check("docker run -p target=80,port=1 x", Code::DockerBadFlag, "port=1", "");
    check("docker rnu -p 1:1 x", Code::DockerBadFlag, "rnu", "did you mean `run`?");
    check("docker run --restart unles-stopped x", Code::DockerBadFlag, "unles-stopped", "");
    check("docker run --restart always:3 x", Code::DockerBadFlag, "always:3", "");
    check("docker network create --subnet 10.0.0.0 n", Code::BadAddress, "10.0.0.0", "");
    check("docker run --network n --network host x", Code::DockerBadFlag, "host", "");
    check("docker network create", Code::DockerBadFlag, "docker network create", "");
    check("dockerd --icc=maybe", Code::DockerBadFlag, "--icc=maybe", "");
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let check = |line: &str| {
        let (_, out) = read(line);
        assert!(out.value.iter().any(|d| matches!(d, Declaration::Unmodeled(_))), "{line}: {:?}", out.value);
        assert!(!out.diagnostics.is_empty(), "{line}");
    };
    check("docker run $OPTS nginx");
    check("docker run -p $PORT:80 nginx");
    check("docker run --pubish 1:1 x");
    check("docker -H ssh://other run nginx");
    check("docker exec web iptables -F");
    check("docker run --sysctl net.ipv4.ip_forward=0 x");
    check("docker service create x");
    check("docker run --name web nginx; docker pause web");
    check("docker run --name web nginx; docker kill -s HUP web");
    check("docker run --name web nginx; docker stop $(docker ps -q)");
    check("docker run --name we a; docker run --network container:we b; docker stop we");
    check("docker compose up -d; docker stop shop-web-1");
    // The engine starts them in an order of its own.
    check("docker run --restart always --name we a; docker run --restart always --name ve a; systemctl restart docker");
    check("docker network create --ipv6 n");
}

#[test]
fn unknown_values_of_irrelevant_options_do_no_harm() {
    check("docker run -v $(pwd):/x -v \"$DATA\":/y -e PASS=$PASS -p 1:1 nginx:$TAG", "image=nginx:$TAG 1->1/tcp");
    check("docker run -p 1:1 $IMAGE", "1->1/tcp");
    check("docker ps; docker pull x; docker compose ps; docker logs -f x; docker run x", "image=x");
}

#[test]
fn networks_are_created_and_connected() {
    let (sources, out) = read(
        "docker network create -d bridge --subnet=172.30.0.0/16 --gateway 172.30.0.254 --internal \\\n \
         -o com.docker.network.bridge.name=br-lab --opt com.docker.network.bridge.enable_icc=false \\\n \
         -o com.docker.network.bridge.enable_ip_masquerade=false \\\n \
         -o com.docker.network.bridge.host_binding_ipv4=127.0.0.1 \\\n \
         -o com.docker.network.bridge.gateway_mode_ipv4=routed lab\n\
         docker network connect --ip 172.30.0.7 --alias cache lab redis\n",
    );
    assert_eq!(out.diagnostics.len(), 0, "{:?}", out.diagnostics);
    let [Declaration::Network(n), Declaration::Connect(c)] = out.value.as_slice() else { panic!("{:?}", out.value) };
    let NetworkDecl { name, driver, subnet, gateway, internal, bridge, icc, masquerade, publish_address, .. } = n;
    assert_eq!((name.value.as_str(), driver.as_ref().unwrap().value.as_str()), ("lab", "bridge"));
    assert_eq!(subnet.unwrap().value.to_string(), "172.30.0.0/16");
    assert_eq!(sources.text(subnet.unwrap().span), "172.30.0.0/16");
    assert_eq!(gateway.unwrap().value.to_string(), "172.30.0.254");
    assert_eq!(bridge.as_ref().unwrap().value, "br-lab");
    assert_eq!(sources.text(icc.unwrap().span), "false");
    assert!(internal.unwrap().value && !icc.unwrap().value && !masquerade.unwrap().value);
    assert_eq!(publish_address.unwrap().value.to_string(), "127.0.0.1");
    assert_eq!(n.gateway_mode.unwrap().value, GatewayMode::Routed);
    assert_eq!((c.container.value.as_str(), c.attach.network.value.as_str()), ("redis", "lab"));
    assert_eq!(c.attach.address.unwrap().value.to_string(), "172.30.0.7");
    assert_eq!(c.attach.aliases, ["cache"]);
}

#[test]
fn what_is_taken_back_is_gone() {
    let check = |script: &str, expected: &[&str]| {
        let (_, out) = read(script);
        assert_eq!(containers(&out), expected, "{script}");
        assert_eq!(out.diagnostics.len(), 0, "{:?}", out.diagnostics);
    };
    check("docker rm -f web 2>/dev/null; docker run --name web a", &["name=web image=a"]);
    check("docker run --name web a; docker rm -f web; docker run --name web b", &["name=web image=b"]);
    check(
        "docker run --name we --network n1 --network n2 a; docker network disconnect n1 we",
        &["name=we image=a net=n2"],
    );
    check("docker run --name we --network n1 a; docker network disconnect n1 we", &["name=we image=a mode=None"]);
    // What it was connected to meanwhile stays.
    check(
        "docker run --name we --network n1 a; docker network connect n2 we; docker network disconnect n1 we",
        &["name=we image=a net=n2"],
    );
    check("docker create --name we a; docker rename we ve; docker start ve", &["name=ve image=a"]);
    check("docker run --name we a; docker stop we; docker start we", &["name=we image=a"]);
    check("docker run --name we a; docker update --memory 1g we; docker restart we", &["name=we image=a"]);
    let script =
        "docker run --name we a; docker run --restart always --name ve a; systemctl restart docker; docker start we";
    // As if it came last: its address is the lowest that is free by then.
    check(script, &["name=ve image=a", "name=we image=a"]);
    // What is gone has held addresses meanwhile.
    for line in ["docker network create n; docker network rm n", "docker network create n; docker system prune -f"] {
        let (_, out) = read(line);
        assert!(matches!(out.value.as_slice(), [Declaration::Former(_), Declaration::Freed(FreedDecl::Network(_))]));
    }
    // docker does not remove what a running container is on.
    let has_network = |script: &str| read(script).1.value.iter().any(|d| matches!(d, Declaration::Network(_)));
    assert!(has_network("docker network create n; docker run --name we --network n a; docker network rm n"));
    assert!(!has_network(
        "docker network create n; docker run --name we --network n a; docker rm we; docker network rm n"
    ));
    assert!(!has_network(
        "docker network create n; docker run --name we --network n a; docker stop we; docker network rm n"
    ));
}

#[test]
fn daemon_options_are_read() {
    let (_, out) = read(
        "dockerd --iptables=false --icc=false --ip 127.0.0.1 --userland-proxy=false --bip 172.20.0.1/16 \
         --firewall-backend=nftables -H unix:///x --ip-forward-no-drop &",
    );
    assert_eq!(out.diagnostics.len(), 0, "{:?}", out.diagnostics);
    let [Declaration::Engine(engine), Declaration::Event(event)] = out.value.as_slice() else {
        panic!("{:?}", out.value)
    };
    let EngineDecl { iptables, icc, publish_address, userland_proxy, default_bridge, backend, .. } = engine;
    let values = (iptables.unwrap().value, icc.unwrap().value, userland_proxy.unwrap().value);
    assert_eq!(values, (false, false, false));
    assert_eq!(publish_address.unwrap().value.to_string(), "127.0.0.1");
    assert_eq!(default_bridge.unwrap().value.to_string(), "172.20.0.1/16");
    assert_eq!(backend.unwrap().value, RuleBackend::Nftables);
    assert!(engine.ip_forward_no_drop.unwrap().value && engine.ip_masq.is_none());
    assert_eq!(event.value, HostEvent::EngineStart);
}
