//! Command lines and variables, and what is read from them.

use super::*;
use crate::lab::declaration::ContainerDecl;
use crate::net::url_host;
use crate::source::Sources;

fn container(command: &str, variables: &str) -> ContainerDecl {
    let span = Span::new(Sources::default().add("a", ""), 0, 0);
    let words = command.split(' ').filter(|word| !word.is_empty());
    let pairs = variables.split(' ').filter_map(|pair| pair.split_once('='));
    ContainerDecl {
        command: words.map(|word| Spanned::new(word.to_owned(), span)).collect(),
        environment: pairs.map(|(name, value)| (name.to_owned(), Spanned::new(value.to_owned(), span))).collect(),
        ..ContainerDecl::at(span)
    }
}

/// Address and port; a default in brackets, `-` for what nobody knows.
fn shown<T>(told: Option<&Told<T>>, text: impl Fn(&T) -> String) -> String {
    match told {
        None => "-".to_owned(),
        Some(Told { value, span: Some(_), .. }) => text(value),
        Some(Told { value, .. }) => format!("({})", text(value)),
    }
}

#[track_caller]
fn check(image: Option<&'static str>, command: &str, variables: &str, expected: &str) {
    let said = read(&container(command, variables), image);
    let host = |address: &Option<IpAddr>| address.map_or("all".to_owned(), url_host);
    let place =
        |told: &Told<Place>| format!("{}:{}/{}", host(&told.value.address), told.value.port, told.value.protocol);
    let mut out = format!("{} {}", shown(said.address.as_ref(), host), shown(said.port.as_ref(), u16::to_string));
    out += &said.places.iter().map(|told| format!(" {}", place(told))).collect::<String>();
    out += &said.more.iter().map(|told| format!(" +{}", place(told))).collect::<String>();
    assert_eq!(out, expected, "{command} {variables}");
}

#[test]
fn options_say_where_a_program_listens() {
    check(Some("prometheus"), "--web.listen-address=127.0.0.1:9090", "", "127.0.0.1 9090");
    check(Some("prometheus"), "--web.listen-address=:9091", "", "all 9091");
    check(Some("prometheus"), "--web.listen-address=[::1]:9091", "", "[::1] 9091");
    check(Some("prometheus"), "--config.file=/etc/p.yml", "", "(all) (9090)");
    check(Some("mysqld"), "mysqld --bind-address=127.0.0.1", "", "127.0.0.1 (3306)");
    check(None, "uvicorn app:app --host 0.0.0.0 --port 8000", "", "all 8000");
    check(None, "gunicorn -b localhost:5000 app", "", "127.0.0.1 5000");
    check(None, "python manage.py runserver 0.0.0.0:8000", "", "all 8000");
    check(None, "python manage.py runserver 0:80", "", "all 80");
    check(None, "python -m http.server 9000 --bind 127.0.0.1", "", "127.0.0.1 9000");
    check(None, "php -S localhost:8000 -t public", "", "127.0.0.1 8000");
    check(None, "bin/rails server -b 0.0.0.0", "", "all (3000)");
    check(None, "vite --host", "", "(all) (5173)");
    check(None, "npx vite --host --port 3000", "", "(all) 3000");
    check(None, "mongod --bind_ip_all", "", "(all) (27017)");
    check(None, "postgres -c listen_addresses=localhost -c port=5433", "", "127.0.0.1 5433");
    check(None, "redis-server --bind 127.0.0.1 --port 6380", "", "127.0.0.1 6380");
    check(None, "etcd --listen-client-urls=http://0.0.0.0:2379", "", "all 2379");
    check(Some("traefik"), "--entrypoints.web.address=:8000", "", "all 8000");
    check(Some("consul"), "agent -server -client=0.0.0.0", "", "all (8500)");
}

#[test]
fn programs_listen_somewhere_unless_they_are_told() {
    check(None, "flask run", "", "(127.0.0.1) (5000)");
    check(None, "uvicorn app:app", "", "(127.0.0.1) (8000)");
    check(None, "sh -c uvicorn app:app --port 80", "", "(127.0.0.1) 80");
    check(None, "vite preview", "", "(127.0.0.1) (4173)");
    check(None, "vite build", "", "- -");
    check(None, "next dev", "", "(all) (3000)");
    check(None, "rails server", "", "- (3000)");
    check(None, "psql --host db --port 5432", "", "- -");
    check(Some("oauth2-proxy"), "", "", "(127.0.0.1) (4180)");
    check(Some("consul"), "", "", "- -");
    check(Some("mongo image"), "--replSet rs0", "", "(all) (27017)");
}

#[test]
fn several_places() {
    check(
        None,
        "etcd --listen-client-urls http://10.0.0.1:2379,http://127.0.0.1:4001",
        "",
        "- - 10.0.0.1:2379/tcp 127.0.0.1:4001/tcp",
    );
    check(
        Some("traefik"),
        "--entryPoints.web.address=:80 --entryPoints.dns.address=:53/udp",
        "",
        "- - all:80/tcp all:53/udp",
    );
    check(Some("traefik"), "--api.insecure=true", "", "(all) (80) +all:8080/tcp");
    check(Some("traefik"), "--api.insecure=false", "", "(all) (80)");
    check(Some("minio"), "server /data --console-address :9001", "", "(all) (9000) +all:9001/tcp");
    check(Some("kafka"), "", "KAFKA_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093", "- - all:9092/tcp all:9093/tcp");
}

#[test]
fn variables_count_where_no_option_speaks() {
    check(None, "flask run", "FLASK_RUN_HOST=0.0.0.0 FLASK_RUN_PORT=80", "all 80");
    check(None, "flask run --host 127.0.0.1", "FLASK_RUN_HOST=0.0.0.0", "127.0.0.1 (5000)");
    check(Some("grafana"), "", "GF_SERVER_HTTP_ADDR=127.0.0.1 GF_SERVER_HTTP_PORT=3001", "127.0.0.1 3001");
    check(Some("elasticsearch"), "", "network.host=_local_", "- (9200)");
    check(None, "gunicorn app", "PORT=8080", "all 8080");
    check(None, "nuxt dev", "HOST=0.0.0.0", "all (3000)");
    check(Some("ollama image"), "", "OLLAMA_HOST=127.0.0.1", "127.0.0.1 (11434)");
}

#[test]
fn what_is_not_understood_is_no_default() {
    check(None, "uvicorn --port 1 --port 2", "", "(127.0.0.1) -");
    check(None, "uvicorn --host web", "", "- (8000)");
    check(None, "redis-server --bind 127.0.0.1 10.0.0.1", "", "- (6379)");
    check(None, "gunicorn -b unix:/run/app.sock", "", "- -");
}
