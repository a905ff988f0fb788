//! Compose files and what is read from them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use super::*;
use crate::lab::declaration::{ContainerDecl, Insertion};
use crate::source::Sources;

/// One file by itself.
pub(super) fn alone(sources: &mut Sources, text: &str, project: &str, variables: &[(&str, &str)]) -> Declarations {
    several(sources, &[("compose.yaml", text)], &["compose.yaml"], project, variables)
}

/// The project of the files `main`; other files are found when they are named.
fn several(
    sources: &mut Sources,
    files: &[(&str, &str)],
    main: &[&str],
    project: &str,
    variables: &[(&str, &str)],
) -> Declarations {
    let mut all = BTreeMap::new();
    for (path, text) in files {
        let text: Arc<str> = (*text).into();
        let (source, path) = (sources.add(*path, &text), (*path).to_owned());
        all.insert(path.clone(), File { source, path, whole: Arc::clone(&text), text });
    }
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let environment = Environment { project: project.to_owned(), variables, ..Environment::default() };
    let main: Vec<File> = main.iter().map(|path| all[*path].clone()).collect();
    parse(&main, &environment, &mut |path| all.get(path).cloned())
}

fn read(text: &str) -> (Sources, Declarations) {
    let mut sources = Sources::default();
    let variables = [("PORT", "3000"), ("COMPOSE_PROFILES", "debug,extra")];
    let parsed = alone(&mut sources, text, "Shop", &variables);
    (sources, parsed)
}

/// `compose.yaml` with `compose.override.yaml` over it -> what is declared, and the text and file of every published
/// port and image.
#[track_caller]
fn check_files(files: &[(&str, &str)], expected: &str) {
    let mut sources = Sources::default();
    let main: Vec<&str> = files.iter().map(|(path, _)| *path).filter(|path| path.starts_with("compose")).collect();
    let parsed = several(&mut sources, files, &main, "shop", &[("TAG", "1")]);
    let mut actual: String = said(&sources, &parsed).iter().map(|line| format!("{line}\n")).collect();
    for declaration in &parsed.value {
        match declaration {
            Declaration::Container(c) => container(&mut actual, c),
            Declaration::Network(n) => network(&mut actual, n),
            Declaration::Unmodeled(what) => writeln!(actual, "unmodeled {}", what.value).unwrap(),
            _ => {}
        }
        if let Declaration::Container(c) = declaration {
            for span in c.publishes.iter().map(|p| p.span).chain(c.image.iter().map(|i| i.span)) {
                writeln!(actual, "  <{}> {}", sources.text(span), sources.place(span)).unwrap();
            }
        }
    }
    assert_eq!(actual, expected);
}

fn option<T: ToString>(value: Option<&Spanned<T>>) -> String {
    value.map_or("-".to_owned(), |v| v.value.to_string())
}

fn container(out: &mut String, c: &ContainerDecl) {
    let mode = c.mode.as_ref().map(|m| format!(" {:?}", m.value)).unwrap_or_default();
    writeln!(out, "container {} {:?} {}{mode}", option(c.name.as_ref()), c.aliases, option(c.image.as_ref())).unwrap();
    for n in &c.networks {
        let priority = n.gateway_priority.as_ref().map(|p| format!(" {}", p.value)).unwrap_or_default();
        writeln!(out, "  on {} {} {:?}{priority}", n.network.value, option(n.address.as_ref()), n.aliases).unwrap();
    }
    for p in &c.publishes {
        let host = p.host_ports.map_or("any".to_owned(), |p| p.to_string());
        let address = p.host_address.map_or("all".to_owned(), |a| a.to_string());
        writeln!(out, "  publish {address} {host} {} {}", p.container_ports, p.protocol).unwrap();
    }
    for e in c.exposed() {
        writeln!(out, "  expose {} {}", e.value.1, e.value.0).unwrap();
    }
    for (name, address) in &c.extra_hosts {
        writeln!(out, "  host {} {address}", name.value).unwrap();
    }
    for link in &c.links {
        writeln!(out, "  link {} {}", link.value.0, link.value.1).unwrap();
    }
    let words: Vec<&str> = c.words().map(|w| w.value.as_str()).collect();
    if !words.is_empty() {
        writeln!(out, "  run {words:?}").unwrap();
    }
}

fn network(out: &mut String, n: &NetworkDecl) {
    let external = if n.external { " external" } else { "" };
    writeln!(out, "network {} {}{external}", n.name.value, n.key.as_deref().unwrap_or("-")).unwrap();
    let mut detail = |name: &str, value: String| {
        if value != "-" {
            writeln!(out, "  {name} {value}").unwrap();
        }
    };
    detail("driver", option(n.driver.as_ref()));
    detail("subnet", option(n.subnet.as_ref()));
    detail("gateway", option(n.gateway.as_ref()));
    detail("internal", option(n.internal.as_ref()));
    detail("bridge", option(n.bridge.as_ref()));
    detail("icc", option(n.icc.as_ref()));
    detail("masquerade", option(n.masquerade.as_ref()));
    detail("publish", option(n.publish_address.as_ref()));
    detail("mode", n.gateway_mode.map_or("-".to_owned(), |m| format!("{:?}", m.value)));
}

fn dump(declarations: &[Declaration]) -> String {
    let mut out = String::new();
    for declaration in declarations {
        match declaration {
            Declaration::Network(n) => self::network(&mut out, n),
            Declaration::Container(c) => self::container(&mut out, c),
            Declaration::Unmodeled(what) => writeln!(out, "unmodeled {}", what.value).unwrap(),
            _ => out.push_str("something else\n"),
        }
    }
    out
}

/// One line per diagnostic: message, and what is written at the first label.
fn said(sources: &Sources, parsed: &Declarations) -> Vec<String> {
    parsed.diagnostics.iter().map(|d| format!("{} <{}>", d.message, sources.text(d.labels[0].span))).collect()
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let (sources, parsed) = read(text);
    assert_eq!(said(&sources, &parsed), Vec::<String>::new());
    assert_eq!(dump(&parsed.value), expected);
}

#[track_caller]
fn check_errors(text: &str, expected: &[&str]) {
    let (sources, parsed) = read(text);
    assert_eq!(said(&sources, &parsed), expected, "{text}");
}

/// The services of `text` only, which stands under `services:`.
#[track_caller]
fn check_service(text: &str, expected: &str) {
    let (sources, parsed) = read(&format!("services:\n  web:\n    image: nginx\n{text}"));
    assert_eq!(said(&sources, &parsed), Vec::<String>::new());
    assert_eq!(dump(&parsed.value), format!("network shop_default default\ncontainer shop-web-1 {expected}"));
}

#[test]
fn a_service_joins_the_default_network() {
    check(
        "services:\n  web: {image: nginx, ports: ['8080:80']}\n",
        "network shop_default default\n\
         container shop-web-1 [\"web\"] nginx\n\
         \x20 on shop_default - []\n\
         \x20 publish all 8080 80 tcp\n",
    );
}

#[test]
fn ports_have_a_short_and_a_long_form() {
    check_service(
        concat!(
            "    ports:\n",
            "      - 80\n",
            "      - \"${PORT}:3000/udp\"\n",
            "      - 127.0.0.1:5432:5432\n",
            "      - 8080:8080 # 주석\n",
            "      - 8080:8080\n",
            "      - {target: 90, published: 9090, protocol: udp, host_ip: 10.0.0.1, mode: host}\n",
            "      - target: 91\n",
            "        published: \"9100-9110\"\n",
            "      - {target: 92, name: web, app_protocol: http}\n",
            "    expose: [3000, \"4000-4001/udp\"]\n",
        ),
        "[\"web\"] nginx\n\
         \x20 on shop_default - []\n\
         \x20 publish all any 80 tcp\n\
         \x20 publish all 3000 3000 udp\n\
         \x20 publish 127.0.0.1 5432 5432 tcp\n\
         \x20 publish all 8080 8080 tcp\n\
         \x20 publish 10.0.0.1 9090 90 udp\n\
         \x20 publish all 9100-9110 91 tcp\n\
         \x20 publish all any 92 tcp\n\
         \x20 expose 3000 tcp\n\
         \x20 expose 4000-4001 udp\n",
    );
}

#[test]
fn networks_are_named_after_the_project_unless_they_have_a_name() {
    check(
        "name: my App\n\
         services:\n\
         \x20 a:\n\
         \x20   image: x\n\
         \x20   networks: [back, ext, old]\n\
         \x20 b:\n\
         \x20   image: x\n\
         \x20   networks:\n\
         \x20     back: {aliases: [database], ipv4_address: 172.30.0.9, gw_priority: 2}\n\
         \x20     named:\n\
         networks:\n\
         \x20 back:\n\
         \x20   internal: yes\n\
         \x20   driver: bridge\n\
         \x20   ipam: {config: [{subnet: 172.30.0.0/24, gateway: 172.30.0.1}]}\n\
         \x20   driver_opts:\n\
         \x20     com.docker.network.bridge.name: br-back\n\
         \x20     com.docker.network.bridge.enable_icc: \"false\"\n\
         \x20     com.docker.network.bridge.enable_ip_masquerade: \"false\"\n\
         \x20     com.docker.network.bridge.host_binding_ipv4: 127.0.0.1\n\
         \x20     com.docker.network.bridge.gateway_mode_ipv4: routed\n\
         \x20     com.docker.network.driver.mtu: 1400\n\
         \x20 ext: {external: true}\n\
         \x20 old: {external: {name: legacy}}\n\
         \x20 named: {name: exactly}\n",
        "network myapp_back back\n\
         \x20 driver bridge\n\
         \x20 subnet 172.30.0.0/24\n\
         \x20 gateway 172.30.0.1\n\
         \x20 internal true\n\
         \x20 bridge br-back\n\
         \x20 icc false\n\
         \x20 masquerade false\n\
         \x20 publish 127.0.0.1\n\
         \x20 mode Routed\n\
         network ext ext external\n\
         network legacy old external\n\
         network exactly named\n\
         container myapp-a-1 [\"a\"] x\n\
         \x20 on myapp_back - []\n\
         \x20 on ext - []\n\
         \x20 on legacy - []\n\
         container myapp-b-1 [\"b\"] x\n\
         \x20 on myapp_back 172.30.0.9 [\"database\"] 2\n\
         \x20 on exactly - []\n",
    );
}

#[test]
fn services_start_after_what_they_depend_on() {
    check(
        "services:\n\
         \x20 web: {image: x, depends_on: [api], container_name: front}\n\
         \x20 api: {image: x, depends_on: {db: {condition: service_healthy}}, links: ['db:database']}\n\
         \x20 db: {image: x, scale: 2, hostname: 디비}\n\
         \x20 side: {image: x, network_mode: 'service:web'}\n\
         \x20 host: {image: x, network_mode: host}\n\
         \x20 old: {image: x, network_mode: bridge}\n\
         \x20 other: {image: x, network_mode: elsewhere, external_links: ['redis_1:redis']}\n",
        "network shop_default default\n\
         container shop-db-1 [\"db\", \"디비\"] x\n\
         \x20 on shop_default - []\n\
         container shop-db-2 [\"db\", \"디비\"] x\n\
         \x20 on shop_default - []\n\
         container shop-api-1 [\"api\"] x\n\
         \x20 on shop_default - []\n\
         \x20 link shop-db-1 database\n\
                  container front [\"web\"] x\n\
         \x20 on shop_default - []\n\
         container shop-side-1 [\"side\"] x Container(\"front\")\n\
         container shop-host-1 [\"host\"] x Host\n\
         container shop-old-1 [\"old\"] x Bridge\n\
         container shop-other-1 [\"other\"] x\n\
         \x20 on elsewhere - []\n\
         \x20 link redis_1 redis\n",
    );
}

#[test]
fn commands_become_words_and_extra_hosts_addresses() {
    check_service(
        concat!(
            "    entrypoint: [\"/bin/prometheus\"]\n",
            "    command: --web.listen-address=':9091' \"--x y\"\n",
            "    extra_hosts: ['db:10.0.0.7', 'v6=[::1]', 'up:host-gateway']\n",
        ),
        "[\"web\"] nginx\n\
         \x20 on shop_default - []\n\
         \x20 host db 10.0.0.7\n\
         \x20 host v6 ::1\n\
         \x20 host up host-gateway\n\
         \x20 run [\"/bin/prometheus\", \"--web.listen-address=:9091\", \"--x y\"]\n",
    );
    check_service(
        "    extra_hosts: {db: 10.0.0.7}\n",
        "[\"web\"] nginx\n\x20 on shop_default - []\n\x20 host db 10.0.0.7\n",
    );
}

#[test]
fn anchors_merge_keys_and_reset_are_understood() {
    check(
        "x-base: &base\n\
         \x20 image: nginx\n\
         \x20 ports: ['80:80']\n\
         services:\n\
         \x20 a: {<<: *base, ports: ['81:80']}\n\
         \x20 b: {<<: *base, ports: !reset []}\n",
        "network shop_default default\n\
         container shop-a-1 [\"a\"] nginx\n\
         \x20 on shop_default - []\n\
         \x20 publish all 81 80 tcp\n\
         container shop-b-1 [\"b\"] nginx\n\
         \x20 on shop_default - []\n",
    );
}

#[test]
fn what_is_not_modelled_is_declared() {
    let (_, parsed) = read(
        "include: ['https://git.example/x.git']\nservices:\n  a: {image: x}\n  p: {provider: {type: x}}\n---\nservices: {}\n",
    );
    assert_eq!(
        dump(&parsed.value),
        "unmodeled `https://git.example/x.git`, a compose file elsewhere\n\
         network shop_default default\n\
         container shop-a-1 [\"a\"] x\n\
         \x20 on shop_default - []\n\
         unmodeled the provider of service `p`\n"
    );
}

#[test]
fn an_override_is_laid_over_the_base_and_keeps_its_places() {
    check_files(
        &[
            (
                "compose.yaml",
                "services:\n  web:\n    image: nginx\n    command: a\n    ports: [\"80:80\", \"81:81\"]\n",
            ),
            (
                "compose.override.yaml",
                "services:\n  web: {image: 'caddy:${TAG}', command: b, ports: ['0.0.0.0:80:80', '82:82'], networks: [back]}\nnetworks: {back: }\n",
            ),
        ],
        "network shop_back back\n\
         container shop-web-1 [\"web\"] caddy:1\n\
         \x20 on shop_back - []\n\
         \x20 publish 0.0.0.0 80 80 tcp\n\
         \x20 publish all 81 81 tcp\n\
         \x20 publish all 82 82 tcp\n\
         \x20 run [\"b\"]\n\
         \x20 <'0.0.0.0:80:80'> compose.override.yaml:2\n\
         \x20 <\"81:81\"> compose.yaml:5\n\
         \x20 <'82:82'> compose.override.yaml:2\n\
         \x20 <caddy:${TAG}> compose.override.yaml:2\n",
    );
}

#[test]
fn reset_and_override_take_away_what_the_base_says() {
    check_files(
        &[
            (
                "compose.yaml",
                "services:\n  a: {image: x, ports: ['1:1', '2:2'], network_mode: host}\n  b: {image: x, ports: ['1:1']}\n  c: {image: y}\n",
            ),
            (
                "compose.override.yaml",
                "services:\n  a: {ports: !override ['3:3'], network_mode: !reset null}\n  b: {ports: !reset []}\n  c: !reset null\n",
            ),
        ],
        "network shop_default default\n\
         container shop-a-1 [\"a\"] x\n\
         \x20 on shop_default - []\n\
         \x20 publish all 3 3 tcp\n\
         \x20 <'3:3'> compose.override.yaml:2\n\
         \x20 <x> compose.yaml:2\n\
         container shop-b-1 [\"b\"] x\n\
         \x20 on shop_default - []\n\
         \x20 <x> compose.yaml:3\n",
    );
}

#[test]
fn lists_and_maps_of_networks_and_hosts_are_merged() {
    check_files(
        &[
            (
                "compose.yaml",
                "services:\n  a: {image: x, networks: [front], extra_hosts: ['h:10.0.0.1']}\nnetworks:\n  front: {ipam: {config: [{subnet: 10.1.0.0/24}]}}\n  back:\n",
            ),
            (
                "compose.override.yaml",
                "services:\n  a:\n    networks: {front: {aliases: [가]}, back: }\n    extra_hosts: {up: host-gateway}\nnetworks:\n  front: {ipam: {config: [{subnet: 10.1.0.0/24, gateway: 10.1.0.9}]}}\n",
            ),
        ],
        "network shop_front front\n\
         \x20 subnet 10.1.0.0/24\n\
         \x20 gateway 10.1.0.9\n\
         network shop_back back\n\
         container shop-a-1 [\"a\"] x\n\
         \x20 on shop_front - [\"가\"]\n\
         \x20 on shop_back - []\n\
         \x20 host h 10.0.0.1\n\
         \x20 host up host-gateway\n\
         \x20 <x> compose.yaml:2\n",
    );
    check_files(
        &[
            ("compose.yaml", "services:\n  a: {image: x, ports: ['1:1']}\n"),
            ("compose.override.yaml", "services:\n  a: {ports: {b: c}}\n"),
        ],
        "`services.a.ports` cannot be merged <{b: c}>\n\
         network shop_default default\n\
         container shop-a-1 [\"a\"] x\n\
         \x20 on shop_default - []\n\
         \x20 publish all 1 1 tcp\n\
         \x20 <'1:1'> compose.yaml:2\n\
         \x20 <x> compose.yaml:2\n",
    );
}

#[test]
fn services_extend_others_of_the_same_and_of_other_files() {
    check_files(
        &[
            (
                "compose.yaml",
                "services:\n  a:\n    extends: {file: parts/common.yaml, service: base}\n    ports: ['2:2']\n  b:\n    extends: a\n    image: y\n",
            ),
            (
                "parts/common.yaml",
                "services:\n  base:\n    extends: {file: deep.yaml, service: d}\n    ports: ['1:1']\n",
            ),
            ("parts/deep.yaml", "services:\n  d: {image: 'x:${TAG}'}\n"),
        ],
        "network shop_default default\n\
         container shop-a-1 [\"a\"] x:1\n\
         \x20 on shop_default - []\n\
         \x20 publish all 1 1 tcp\n\
         \x20 publish all 2 2 tcp\n\
         \x20 <'1:1'> parts/common.yaml:4\n\
         \x20 <'2:2'> compose.yaml:4\n\
         \x20 <x:${TAG}> parts/deep.yaml:2\n\
         container shop-b-1 [\"b\"] y\n\
         \x20 on shop_default - []\n\
         \x20 publish all 1 1 tcp\n\
         \x20 publish all 2 2 tcp\n\
         \x20 <'1:1'> parts/common.yaml:4\n\
         \x20 <'2:2'> compose.yaml:4\n\
         \x20 <y> compose.yaml:7\n",
    );
    check_errors(
        "services:\n  a: {image: x, extends: {service: b, file: no.yaml}}\n  b: {image: x, extends: bb}\n",
        &["there is no file `no.yaml` <no.yaml>", "there is no service `bb` in `compose.yaml` to extend <bb>"],
    );
    check_errors(
        "services:\n  a: {image: x, extends: b}\n  b: {image: x, extends: a}\n",
        &[
            "the service `a` extends itself, perhaps through others <a>",
            "the service `b` extends itself, perhaps through others <b>",
        ],
    );
}

#[test]
fn included_files_have_variables_of_their_own() {
    check_files(
        &[
            (
                "compose.yaml",
                "include:\n  - infra/compose.yaml\nservices:\n  web: {image: 'w:${TAG}', networks: [inner]}\n",
            ),
            ("compose.override.yaml", "services:\n  db: {ports: ['2:2']}\n"),
            (
                "infra/compose.yaml",
                "name: other\nservices:\n  db: {image: 'pg:${PG}-${TAG}', ports: ['1:1']}\nnetworks: {inner: }\n",
            ),
            ("infra/.env", "PG=16\nTAG=9\n"),
        ],
        "network shop_default default\n\
         network shop_inner inner\n\
         container shop-db-1 [\"db\"] pg:16-1\n\
         \x20 on shop_default - []\n\
         \x20 publish all 1 1 tcp\n\
         \x20 publish all 2 2 tcp\n\
         \x20 <'1:1'> infra/compose.yaml:3\n\
         \x20 <'2:2'> compose.override.yaml:2\n\
         \x20 <pg:${PG}-${TAG}> infra/compose.yaml:3\n\
         container shop-web-1 [\"web\"] w:1\n\
         \x20 on shop_inner - []\n\
         \x20 <w:${TAG}> compose.yaml:4\n",
    );
    check_errors("include: [compose.yaml]\nservices: {}\n", &["`compose.yaml` includes itself <compose.yaml>"]);
}

#[test]
fn a_built_image_exposes_what_its_dockerfile_says() {
    check_files(
        &[
            (
                "compose.yaml",
                "include: [sub/compose.yaml]\nservices:\n  web: {build: {context: web, args: {P: 8080}}}\n  lost: {build: nowhere}\n",
            ),
            ("web/Dockerfile", "FROM x\nARG P\nEXPOSE $P\n"),
            ("sub/compose.yaml", "services: {api: {build: ./api}, top: {build: {context: .., dockerfile: other/D}}}\n"),
            ("sub/api/Dockerfile", "FROM redis\n"),
            ("other/D", "FROM x\nEXPOSE 9/udp\n"),
        ],
        "network shop_default default\n\
         container shop-api-1 [\"api\"] -\n\
         \x20 on shop_default - []\n\
         \x20 expose 6379 tcp\n\
         container shop-top-1 [\"top\"] -\n\
         \x20 on shop_default - []\n\
         \x20 expose 9 udp\n\
         container shop-web-1 [\"web\"] -\n\
         \x20 on shop_default - []\n\
         \x20 expose 8080 tcp\n\
         container shop-lost-1 [\"lost\"] -\n\
         \x20 on shop_default - []\n",
    );
}

#[test]
fn mistakes_are_reported_where_they_are() {
    check_errors("services:\n  가: {image: x}\n", &["`가` is no name for an entry of `services` <가>"]);
    check_errors(
        "services:\n  ga: {image: x, prots: [], networks: [bak]} # 가\nnetworks: {back: }\n",
        &[
            "unknown key `prots` in service `ga` <prots>",
            "the network `bak` is not defined <bak>",
            "no service uses the network `back` <back>",
        ],
    );
    check_errors(
        "services:\n  ga: {image: x, ports: [\"포트:80\", '70000:80', '${PORT}0:80', 22:22, {target: 0}, {published: 1}]}\n",
        &[
            "an item of `ports` of service `ga` needs `target` <{published: 1}>",
            "`포트` is not a port <포트>",
            "`70000` is not a port <70000>",
            "unquoted `22:22` is a number in YAML 1.1 <22:22>",
            "`0` is not a port <0>",
        ],
    );
    check_errors("services:\n  a: {image: '$가$X'}\n", &["the variable `X` is not set <$X>"]);
    check_errors(
        "services:\n  a: {image: '${X:?y}${'}\n",
        &["the required variable `X` is not set <${X:?y}>", "not a valid variable <${>"],
    );
    check_errors("services:\n  a: {}\n", &["the service `a` has neither `image` nor `build` <a>"]);
    check_errors(
        "services:\n  web: {image: x, depends_on: [bd], network_mode: 'service:wbe'}\n",
        &["the service `bd` is not defined <bd>", "the service `wbe` is not defined <service:wbe>"],
    );
    check_errors(
        "services:\n  a: {image: x, network_mode: host, ports: ['80:80']}\n  b: {image: x, network_mode: 'service:a', ports: ['80:80']}\n",
        &[
            "ports are ignored on the host's network <'80:80'>",
            "the engine refuses ports of a container on another container's network <'80:80'>",
        ],
    );
    check_errors(
        "services:\n  a: {image: x, network_mode: none, networks: [default]}\n",
        &["`network_mode` and `networks` exclude each other <none>"],
    );
    check_errors(
        "services:\n  a: {image: x, container_name: bb, deploy: {replicas: 2}}\n",
        &["one name cannot be given to several containers <a>"],
    );
    check_errors("name: 실습\nservices: {}\n", &["`실습` leaves no name for the project <실습>"]);
    check_errors("services: []\n", &["`services` must be a map <[]>"]);
}

#[test]
fn what_is_wrong_behind_an_anchor_is_said_once() {
    check_errors(
        "x-a: &a {image: $X, ports: ['0:0']}\nservices: {b: *a, c: *a}\n",
        &[
            "the variable `X` is not set <$X>",
            "the service `b` has neither `image` nor `build` <b>",
            "`0` is not a port <0>",
            "the service `c` has neither `image` nor `build` <c>",
        ],
    );
}

#[test]
fn services_with_an_inactive_profile_are_not_started() {
    check_errors(
        "services:\n  a: {image: x, profiles: [tools]}\n  b: {image: x, profiles: [debug]}\n",
        &["the service `a` is not started <[tools]>"],
    );
    check_errors("services:\n  a: {image: x, scale: 0}\n", &["the service `a` is not started <0>"]);
}

#[test]
fn another_port_and_network_have_a_place() {
    let check = |place: fn(&ContainerDecl) -> Option<&Insertion>, value: &str, text: &str, expected: Option<&str>| {
        let (_, parsed) = read(text);
        let container =
            parsed.value.iter().find_map(|d| if let Declaration::Container(c) = d { Some(c) } else { None });
        let edited =
            place(container.unwrap()).map(|i| format!("{}{}{}", &text[..i.at.start], i.text(value), &text[i.at.end..]));
        assert_eq!(edited.as_deref(), expected);
    };
    let port = |text: &str, expected| check(|c| c.publish_at.as_ref(), "1:2", text, expected);
    let network = |text: &str, expected| check(|c| c.network_at.as_ref(), "back", text, expected);
    port(
        "services:\n    웹:\n        image: x  # 그림\nnetworks: {}\n",
        Some("services:\n    웹:\n        image: x  # 그림\n        ports:\n          - \"1:2\"\nnetworks: {}\n"),
    );
    port(
        "services:\n  web:\n    ports:\n    - '3:4'\n    image: x\n",
        Some("services:\n  web:\n    ports:\n    - '3:4'\n    - \"1:2\"\n    image: x\n"),
    );
    port("services: {web: {image: x}}\n", Some("services: {web: {image: x, ports: [\"1:2\"]}}\n"));
    port("services:\n  web:\n    image: x\n    network_mode: host\n", None);
    network(
        "services:\n  web: {networks: {default: }}\n",
        Some("services:\n  web: {networks: {default:, back: {} }}\n"),
    );
    network(
        "services:\n  web:\n    image: x\n",
        Some("services:\n  web:\n    image: x\n    networks:\n      - default\n      - back\n"),
    );
    network(
        "services:\n  web:\n    image: x\n    networks:\n      default:\n",
        Some("services:\n  web:\n    image: x\n    networks:\n      default:\n      back:\n"),
    );
}
