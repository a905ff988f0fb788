//! `.wslconfig`: how WSL connects its machine (learn.microsoft.com, "Advanced settings configuration in WSL").

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::declaration::Declarations;
use crate::lab::hosted::WslDecl;
use crate::lab::{Declaration, WslMode};
use crate::language::text;
use crate::source::{SourceId, Span, Spanned};

/// Reads the file. Keys of other sections, and those that do not concern the network, mean nothing here.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut wsl = WslDecl {
        mode: None,
        localhost_forwarding: None,
        host_address_loopback: None,
        firewall: None,
        span: Span::new(source, 0, text.trim_end().len()),
    };
    let mut out = Declarations::default();
    let (mut start, mut section) = (0, String::new());
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let from = start + (line.len() - line.trim_start().len());
        start += line.len();
        if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_lowercase();
        } else if let Some((key, value)) = bare.split_once('=').filter(|_| !bare.starts_with('#')) {
            let place = Span::new(source, from, from + bare.len());
            let value = Spanned::new(value.trim().to_lowercase(), place);
            setting(&mut wsl, &section, &key.trim().to_lowercase(), &value, &mut out.diagnostics);
        }
    }
    out.value.push(Declaration::Wsl(wsl));
    out
}

/// Some settings have moved from `[experimental]` to `[wsl2]`; of those both are understood (microsoft/WSL,
/// src/windows/common/WslCoreConfig.h, `ConfigSetting`).
fn setting(wsl: &mut WslDecl, section: &str, key: &str, value: &Spanned<String>, found: &mut Vec<Diagnostic>) {
    if !matches!(section, "wsl2" | "experimental") {
        return;
    }
    let switch = |found: &mut Vec<Diagnostic>| match value.value.as_str() {
        "true" | "1" => Some(Spanned::new(true, value.span)),
        "false" | "0" => Some(Spanned::new(false, value.span)),
        other => {
            found.push(
                Diagnostic::new(
                    Code::LabBadValue,
                    text!("`{other}` is neither `true` nor `false`", "`{other}`: `true`도 `false`도 아닙니다"),
                )
                .label(value.span, text!("WSL takes its default", "WSL이 기본값을 씀")),
            );
            None
        }
    };
    match key {
        "networkingmode" => {
            let mode = match value.value.as_str() {
                "mirrored" => WslMode::Mirrored,
                // `consomme` is the newer name of `virtioproxy` (WslCoreConfig.h, `NetworkingModes`).
                "virtioproxy" | "consomme" | "bridged" => WslMode::Other,
                "none" => WslMode::Off,
                // "If the value is `nat` or an unknown value, NAT network mode is used."
                _ => WslMode::Nat,
            };
            wsl.mode = Some(Spanned::new(mode, value.span));
        }
        "localhostforwarding" if section == "wsl2" => wsl.localhost_forwarding = switch(found),
        "hostaddressloopback" if section == "experimental" => wsl.host_address_loopback = switch(found),
        "localhostforwarding" => found.push(elsewhere("localhostForwarding", "wsl2", value.span)),
        "hostaddressloopback" => found.push(elsewhere("hostAddressLoopback", "experimental", value.span)),
        "firewall" => wsl.firewall = switch(found),
        _ => {}
    }
}

/// WSL passes over a setting in the wrong section without a word (microsoft/WSL#11102).
fn elsewhere(key: &str, section: &str, place: Span) -> Diagnostic {
    let message = text!("WSL reads `{key}` in `[{section}]` only", "WSL은 `{key}`를 `[{section}]`에서만 읽습니다");
    Diagnostic::new(Code::UnknownKey, message)
        .label(place, text!("WSL passes over this", "WSL이 이것을 건너뜀"))
        .help(text!("move the line into `[{section}]`", "이 줄을 `[{section}]` 아래로 옮기십시오"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn settings() {
        let check = |text: &str, expected: &str| {
            let source = Sources::default().add(".wslconfig", text);
            let read = parse(source, text);
            let Some(Declaration::Wsl(wsl)) = read.value.first() else { panic!("{text}") };
            let on = |setting: Option<Spanned<bool>>| setting.map(|setting| setting.value);
            let mode = wsl.mode.map(|mode| mode.value);
            let shown = format!(
                "{mode:?} {:?} {:?} {:?} {}",
                on(wsl.localhost_forwarding),
                on(wsl.host_address_loopback),
                on(wsl.firewall),
                read.diagnostics.len()
            );
            assert_eq!(shown, expected, "{text}");
        };
        check("", "None None None None 0");
        check(
            "# 설정\r\n[wsl2]\r\nnetworkingMode=mirrored\r\nmemory=4GB\r\nfirewall = false\r\n[experimental]\r\nhostAddressLoopback=true\r\n",
            "Some(Mirrored) None Some(true) Some(false) 0",
        );
        check("[wsl2]\nhostAddressLoopback=true\n[experimental]\nlocalhostForwarding=false", "None None None None 2");
        check("[wsl2]\nnetworkingMode=Consomme", "Some(Other) None None None 0");
        check("[wsl2]\nlocalhostforwarding=false\n#firewall=false\n", "None Some(false) None None 0");
        check("[wsl2]\nnetworkingMode=natt\nlocalhostForwarding=maybe", "Some(Nat) None None None 1");
        check("[boot]\nnetworkingMode=mirrored", "None None None None 0");
    }
}
