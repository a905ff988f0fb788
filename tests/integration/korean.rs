//! What Korean readers get: from the option and from the locale, and never what programs get.

use std::path::Path;
use std::process::Command;

/// Standard output of the program with these variables and nothing else in its environment.
fn printed(environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_canreach"))
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn is_korean(text: &str) -> bool {
    text.chars().any(|c| ('가'..='힣').contains(&c))
}

#[test]
fn the_option_wins_over_the_locale_and_the_locale_over_nothing() {
    let check = |environment: &[(&str, &str)], options: &[&str], expected: bool| {
        let arguments = [&["check", "examples/nat-no-forward"], options].concat();
        assert_eq!(is_korean(&printed(environment, &arguments)), expected, "{environment:?} {options:?}");
    };
    check(&[], &[], false);
    check(&[], &["--lang", "ko"], true);
    check(&[("LANG", "ko_KR.UTF-8")], &[], true);
    check(&[("LANG", "ko_KR.UTF-8")], &["--lang", "en"], false);
    check(&[("LANG", "C.UTF-8"), ("LC_MESSAGES", "ko_KR.UTF-8")], &[], true);
    check(&[("LANG", "ko_KR.UTF-8"), ("LC_MESSAGES", "C")], &[], false);
    check(&[("LC_ALL", "en_US.UTF-8"), ("LANG", "ko_KR.UTF-8")], &[], false);
    check(&[("LC_ALL", ""), ("LANG", "ko_KR.UTF-8")], &[], true);
}

#[test]
fn what_programs_read_is_the_same_in_every_language() {
    for arguments in [
        &["--format", "json", "check", "examples/two-networks"][..],
        &["--format", "json", "exposure", "examples/production"],
        &["--format", "json", "fix", "examples/no-publish"],
        &["check", "examples/learning", "--emit", "dataplane"],
        &["rules", "examples/firewalld-published", "rocky"],
        &["infer", "examples/production"],
    ] {
        let english = printed(&[("LANG", "C.UTF-8")], arguments);
        assert_eq!(english, printed(&[("LANG", "ko_KR.UTF-8")], arguments), "{arguments:?}");
        assert!(!english.is_empty());
    }
}

#[test]
fn what_a_korean_person_reads() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/korean");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, arguments) in [
        ("nat-no-forward", &["check", "examples/nat-no-forward"][..]),
        ("wrong-container-port", &["check", "examples/wrong-container-port"]),
        ("two-networks", &["check", "examples/two-networks"]),
        ("firewalld-published", &["check", "examples/firewalld-published"]),
        ("exposure", &["exposure", "examples/nat-forward-exposes-lan"]),
        ("fix", &["fix", "examples/no-publish"]),
        ("diff", &["diff", "examples/no-publish", "examples/wrong-container-port"]),
        ("lint", &["lint", "examples/app-on-loopback"]),
        ("first-look", &["check", "docs/shop/compose.yaml"]),
        ("probe", &["probe", "examples/nat-no-forward"]),
        ("trace", &["trace", "examples/learning", "--from", "mac", "--to", "127.0.0.1", "--port", "3000"]),
    ] {
        let text = printed(&[("LANG", "ko_KR.UTF-8")], arguments);
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}
