//! The labs of lessons: those of `examples/`, and small ones of their own.

/// The files of a lab, by name.
pub type Lab = &'static [(&'static str, &'static str)];

macro_rules! labs {
    ($($name:literal in $directory:literal: $($file:literal),+;)*) => {
        const LABS: &[(&str, Lab)] = &[$(
            ($name, &[$(($file, include_str!(concat!("../../", $directory, "/", $name, "/", $file)))),+]),
        )*];
    };
}

labs! {
    "app-on-loopback" in "examples": "lab.yaml", "rocky.vbox", "setup.sh";
    "bridged" in "examples": "lab.yaml", "rocky.vbox", "setup.sh";
    "default-bridge-names" in "examples": "lab.yaml", "rocky.vbox", "setup.sh";
    "firewalld-host-network" in "examples": "lab.yaml", "rocky.vbox", "setup.sh";
    "firewalld-published" in "examples": "lab.yaml", "rocky.vbox", "setup.sh";
    "guest-loopback-publish" in "examples": "lab.yaml", "rocky.vbox", "setup.sh";
    "host-only" in "examples": "lab.yaml", "rocky.vbox", "setup.sh";
    "internal" in "lessons/labs": "lab.yaml";
    "learning" in "examples": "lab.yaml", "rocky.vbox", "setup.sh";
    "nat-no-forward" in "examples": "lab.yaml", "rocky.vbox", "setup.sh";
    "no-publish" in "examples": "lab.yaml", "rocky.vbox", "setup.sh";
    "user-network-names" in "examples": "lab.yaml", "rocky.vbox", "setup.sh";
    "wrong-container-port" in "examples": "lab.yaml", "rocky.vbox", "setup.sh";
}

/// The lab with this name.
pub fn lab(name: &str) -> Option<Lab> {
    LABS.iter().find(|(known, _)| *known == name).map(|(_, files)| *files)
}
