//! Directories, pages and files that cannot be read.

use super::*;

/// Files on disk -> the paths and messages of what was loaded.
fn check(files: &[(&str, &[u8])], expected: &[&str]) {
    let directory = tempfile(files);
    let loaded = load(std::slice::from_ref(&directory)).unwrap();
    fs::remove_dir_all(&directory).unwrap();
    let mut actual: Vec<String> = loaded.labs.iter().flat_map(|lab| &lab.inputs).map(|i| i.path.clone()).collect();
    actual.extend(loaded.diagnostics.iter().map(|d| format!("{:?}: {}", d.severity, d.message)));
    assert_eq!(actual, expected);
}

fn tempfile(files: &[(&str, &[u8])]) -> PathBuf {
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let directory = std::env::temp_dir().join(format!("canreach-load-{}-{number}", std::process::id()));
    for (name, content) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

#[test]
fn directories_are_searched_for_files_of_known_formats() {
    check(
        &[
            ("b/run.sh", b"docker ps\n"),
            ("a/compose.yaml", b"services: {web: {image: \"nginx:${TAG}\"}}\n"),
            ("a/.env", b"TAG=1\n"),
            ("a/docker-compose.yml", b"services: {}\n"),
            ("a/compose.prod.yaml", b"services: {}\n"),
            ("node_modules/x/run.sh", b"docker ps\n"),
            (".git/hooks/x.sh", b"docker ps\n"),
            ("README.md", b"# Hello\n"),
            ("lesson.md", b"```yaml name=compose.yaml\nservices: {}\n```\n```canreach\na can reach b:1\n```\n"),
            ("empty.sh", b" \n"),
            ("old.sh", b"\xff\xfe"),
            ("old.xml", b"\xff\xfe"),
        ],
        &[
            "a/compose.yaml",
            "b/run.sh",
            "old.sh",
            "Warning: `empty.sh` is empty",
            "Error: `old.sh` is not a UTF-8 text",
            "Advice: `docker compose` does not read `a/compose.prod.yaml` unless it is told to",
            "Advice: `docker compose` does not read `a/docker-compose.yml` unless it is told to",
            "Advice: `lesson.md` holds files and is a lab of its own",
        ],
    );
}

#[test]
fn foreign_encodings_are_pointed_at() {
    let check = |name: &str, content: &[u8], label: &str, at: usize| {
        let directory = tempfile(&[(name, content)]);
        let loaded = load(std::slice::from_ref(&directory)).unwrap();
        fs::remove_dir_all(&directory).unwrap();
        let [problem] = loaded.diagnostics.as_slice() else { panic!("{:?}", loaded.diagnostics) };
        let found = &problem.labels[0];
        assert_eq!((problem.code, found.message.as_str(), found.span.start), (Code::InputBinary, label, at));
    };
    let utf16 = |text: &str| -> Vec<u8> {
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    check("web.vbox", &utf16("<VirtualBox/>"), "the file is UTF-16", 0);
    check("run.sh", b"docker run \xb0\xa1", "this byte is not UTF-8", 11);
    // What a command printed into a file of Windows PowerShell is read.
    let directory = tempfile(&[("web.txt", &utf16("name=\"웹\"\r\nnic1=\"nat\"\r\n"))]);
    let loaded = load(std::slice::from_ref(&directory)).unwrap();
    fs::remove_dir_all(&directory).unwrap();
    assert!(loaded.diagnostics.is_empty() && loaded.labs[0].inputs[0].path == "web.txt", "{loaded:?}");
}

#[test]
fn a_page_that_is_asked_for_is_a_lab() {
    let lab = "```yaml name=compose.yaml\nservices: {}\n```\n```canreach\na can reach b:1\n```\n";
    let directory = tempfile(&[("lesson.md", format!("## A\n{lab}## B\n{lab}").as_bytes())]);
    let loaded = load(&[directory.join("lesson.md")]).unwrap();
    fs::remove_dir_all(&directory).unwrap();
    let described = |lab: &LabFiles| {
        let paths: Vec<&str> = lab.inputs.iter().map(|i| i.path.as_str()).collect();
        format!("{}: {}", lab.title.as_deref().unwrap_or("-"), paths.join(" "))
    };
    let labs: Vec<String> = loaded.labs.iter().map(described).collect();
    assert_eq!(labs, ["A: compose.yaml lesson.md", "B: compose.yaml lesson.md"]);
}

/// Files on disk -> the container images of each file, and messages.
fn images(files: &[(&str, &[u8])], expected: &[&str]) {
    let directory = tempfile(files);
    let loaded = load(std::slice::from_ref(&directory)).unwrap();
    fs::remove_dir_all(&directory).unwrap();
    let image = |declaration: &Declaration| match declaration {
        Declaration::Container(container) => container.image.as_ref().map(|image| image.value.clone()),
        _ => None,
    };
    let line = |input: &Input| {
        let images: Vec<String> = input.declarations.iter().filter_map(image).collect();
        format!("{}: {}", input.path, images.join(" "))
    };
    let mut actual: Vec<String> = loaded.labs.iter().flat_map(|lab| &lab.inputs).map(line).collect();
    actual.extend(loaded.diagnostics.iter().map(|d| d.message.to_string()));
    assert_eq!(actual, expected);
}

#[test]
fn compose_files_that_belong_together_are_read_together() {
    let base = b"services: {web: {image: base}}\n".as_slice();
    let over = b"services: {web: {image: 'over-${A:-}'}}\n".as_slice();
    images(
        &[("compose.yaml", base), ("compose.override.yaml", over), (".env", b"A=1")],
        &["compose.override.yaml: ", "compose.yaml: over-1"],
    );
    images(
        &[
            ("compose.yaml", base),
            ("compose.override.yaml", b"services: {}\n"),
            ("compose.prod.yaml", over),
            ("lab.yaml", b"hosts:\n  a: {files: [compose.yaml, compose.prod.yaml]}\n"),
        ],
        &[
            "compose.prod.yaml: over-",
            "compose.yaml: ",
            "lab.yaml: ",
            "`docker compose` does not read `compose.override.yaml` unless it is told to",
        ],
    );
    images(
        &[
            ("compose.yaml", base),
            ("compose.prod.yaml", over),
            (".env", b"COMPOSE_FILE=compose.yaml:compose.prod.yaml"),
        ],
        &["compose.prod.yaml: ", "compose.yaml: over-"],
    );
    images(
        &[("compose.yaml", b"include: [db/compose.yaml]\n"), ("db/compose.yaml", base), ("db/.env", b"A=1")],
        &["compose.yaml: base"],
    );
    images(
        &[("compose.yaml", b"services: {a: {extends: {file: ../common.yml, service: b}}}\n")],
        &["compose.yaml: ", "there is no file `../common.yml`", "the service `a` has neither `image` nor `build`"],
    );
    images(
        &[("a/compose.yaml", b"services: {a: {extends: {file: ../common.yml, service: web}}}\n"), ("common.yml", base)],
        &["a/compose.yaml: base"],
    );
}

#[test]
fn scripts_choose_the_files_of_a_project() {
    let base = b"services: {web: {image: 'base-${A:-}'}, db: {image: pg, profiles: [full]}}\n".as_slice();
    let over = b"services: {web: {image: 'over-${A:-}', depends_on: [db]}}\n".as_slice();
    let check = |script: &str, more: &[(&str, &[u8])], expected: &[&str]| {
        let own = [("compose.yaml", base), ("compose.prod.yaml", over), ("up.sh", script.as_bytes())];
        images(&[&own[..], more].concat(), expected);
    };
    let not_started = "the service `db` is not started";
    let not_read = "`docker compose` does not read `compose.prod.yaml` unless it is told to";
    check(
        "docker compose -f compose.yaml -f compose.prod.yaml --profile full up -d\n",
        &[],
        &["compose.prod.yaml: pg over-", "compose.yaml: ", "up.sh: "],
    );
    check(
        "export COMPOSE_FILE=compose.yaml:compose.prod.yaml\nCOMPOSE_PROFILES=full docker-compose up\n",
        &[],
        &["compose.prod.yaml: pg over-", "compose.yaml: ", "up.sh: "],
    );
    check("docker compose up -d\n", &[], &["compose.yaml: base-", "up.sh: ", not_started, not_read]);
    check(
        "if true; then docker compose up -d; fi; docker compose down\n",
        &[],
        &["compose.yaml: base-", "up.sh: ", not_started, not_read],
    );
    check("docker compose up db\n", &[], &["compose.yaml: pg", "up.sh: ", not_read]);
    check(
        "docker compose --env-file prod.env up\n",
        &[("prod.env", b"A=1"), (".env", b"A=2")],
        &["compose.yaml: base-1", "up.sh: ", not_started, not_read],
    );
    images(
        &[("scripts/up.sh", b"docker compose -f deploy/stack.yml up"), ("deploy/stack.yml", base)],
        &["scripts/up.sh: ", "deploy/stack.yml: base-", not_started],
    );
    check(
        "docker compose up -d; docker compose -f compose.prod.yaml up -d\n",
        &[],
        &[
            "compose.yaml: base-",
            "up.sh: ",
            "`docker compose` is called with other files for the same project",
            not_started,
            not_read,
        ],
    );
}

#[test]
fn what_cannot_be_loaded_is_an_error() {
    assert!(matches!(load(&[PathBuf::from("no/such/path")]), Err(LoadError::Unreadable { .. })));
    let directory = tempfile(&[("README.md", b"# Hello\n")]);
    let result = load(std::slice::from_ref(&directory));
    fs::remove_dir_all(&directory).unwrap();
    assert!(matches!(result, Err(LoadError::Nothing { .. })));
}
