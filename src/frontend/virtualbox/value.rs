//! Ports, addresses and forwards as VirtualBox writes them, in files, listings and commands alike.

use std::net::{IpAddr, Ipv4Addr};

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::machine::ForwardDecl;
use crate::language::{Text, text};
use crate::net::{IpNet, Protocol};
use crate::source::{Span, Spanned};

/// A value, or what is wrong with it.
pub(super) type Checked<T> = Result<T, Box<Diagnostic>>;

/// A problem with a value.
pub(super) fn bad(code: Code, span: Span, message: impl Into<Text>, help: impl Into<Text>) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(code, message).label(span, text!("here", "여기")).help(help))
}

/// A port, which VirtualBox would cut to 16 bits (`VBoxManage` 7.2 stores 4464 for 70000).
pub(super) fn port(text: Spanned<&str>) -> Checked<u16> {
    let number: Option<u32> = text.value.trim().parse().ok();
    match number.map(|n| (n, u16::try_from(n))) {
        Some((1.., Ok(port))) => Ok(port),
        Some((number, Err(_))) => {
            let help = text!(
                "ports go from 1 to 65535; VirtualBox keeps 16 bits of this, {kept}",
                "포트는 1부터 65535까지입니다. VirtualBox는 이 값의 16비트인 {kept}만 남깁니다",
                kept = number & 0xffff
            );
            Err(bad(
                Code::BadPort,
                text.span,
                text!("`{value}` is not a port", "`{value}`: 포트가 아닙니다", value = &text.value),
                help,
            ))
        }
        _ => {
            let message = text!("`{value}` is not a port", "`{value}`: 포트가 아닙니다", value = &text.value);
            Err(bad(
                Code::BadPort,
                text.span,
                message,
                text!("ports go from 1 to 65535", "포트는 1부터 65535까지입니다"),
            ))
        }
    }
}

/// An address to listen on; empty and 0.0.0.0 mean all.
pub(super) fn listen_address(text: Spanned<&str>) -> Checked<Option<IpAddr>> {
    Ok(optional_address(text)?.filter(|address| !address.is_unspecified()))
}

/// An address that may be left out.
pub(super) fn optional_address(text: Spanned<&str>) -> Checked<Option<IpAddr>> {
    if text.value.is_empty() {
        return Ok(None);
    }
    address(text).map(Some)
}

/// A literal address.
pub(super) fn address(text: Spanned<&str>) -> Checked<IpAddr> {
    text.value.parse().map_err(|_| {
        let help = text!(
            "VirtualBox wants a literal IP address here, and takes any other text without a word",
            "IP 주소를 그대로 쓰십시오. VirtualBox는 다른 텍스트도 아무 말 없이 받아들입니다"
        );
        bad(
            Code::BadAddress,
            text.span,
            text!("`{value}` is not an address", "`{value}`: 주소가 아닙니다", value = &text.value),
            help,
        )
    })
}

/// An address with prefix length.
pub(super) fn network(text: Spanned<&str>) -> Checked<IpNet> {
    text.value.parse().map_err(|_| {
        let help = text!(
            "VirtualBox wants an address with prefix length, like `10.0.3.0/24`",
            "`10.0.3.0/24`처럼 프리픽스 길이가 붙은 주소를 쓰십시오"
        );
        bad(
            Code::BadAddress,
            text.span,
            text!("`{value}` is not a network", "`{value}`: 네트워크가 아닙니다", value = &text.value),
            help,
        )
    })
}

/// An address with the prefix length that a mask like 255.255.255.0 stands for.
pub(super) fn masked(address: IpAddr, mask: Spanned<&str>) -> Checked<IpNet> {
    let parsed: Option<Ipv4Addr> = mask.value.parse().ok();
    let length = parsed.map(u32::from).filter(|bits| bits.leading_ones() + bits.trailing_zeros().min(32) >= 32);
    let net = length.and_then(|bits| IpNet::new(address, u8::try_from(bits.leading_ones()).ok()?).ok());
    net.ok_or_else(|| {
        let message =
            text!("`{value}` is not a network mask", "`{value}`: 네트워크 마스크가 아닙니다", value = &mask.value);
        bad(
            Code::BadAddress,
            mask.span,
            message,
            text!("write it like `255.255.255.0`", "`255.255.255.0`처럼 쓰십시오"),
        )
    })
}

/// `on` or `off`.
pub(super) fn on_off(text: Spanned<&str>) -> Checked<Spanned<bool>> {
    match text.value {
        "on" | "yes" | "enable" | "true" | "1" => Ok(Spanned::new(true, text.span)),
        "off" | "no" | "disable" | "false" | "0" => Ok(Spanned::new(false, text.span)),
        other => {
            let message = text!("`{other}` is neither `on` nor `off`", "`{other}`: `on`도 `off`도 아닙니다");
            Err(bad(
                Code::VboxBadValue,
                text.span,
                message,
                text!("VBoxManage refuses the command", "VBoxManage가 명령을 거부합니다"),
            ))
        }
    }
}

/// `[NAME],tcp|udp,[HOST IP],HOST PORT,[GUEST IP],GUEST PORT` taken apart at the commas; a rule without a name is called
/// after its ports (`VBoxManage` 7.2 makes `tcp_8082_82` of it).
pub(super) fn forward(parts: &[Spanned<&str>], span: Span) -> Checked<ForwardDecl> {
    let [name, protocol, host_address, host_port, guest_address, guest_port] = parts else {
        let message = text!(
            "a forward has six parts, not {count}",
            "포트 포워딩의 항목은 여섯 개여야 하는데 {count}개입니다",
            count = &parts.len()
        );
        return Err(bad(
            Code::VboxBadValue,
            span,
            message,
            text!("like `web,tcp,127.0.0.1,8080,,80`", "`web,tcp,127.0.0.1,8080,,80`처럼 쓰십시오"),
        ));
    };
    let parsed = protocol_named(*protocol)?;
    let (host_port, guest_port) = (port(*host_port)?, port(*guest_port)?);
    let name = match name.value {
        "" => format!("{}_{host_port}_{guest_port}", protocol.value.to_lowercase()),
        name => name.to_owned(),
    };
    Ok(ForwardDecl {
        name,
        protocol: parsed,
        host_address: listen_address(*host_address)?,
        host_port,
        guest_address: optional_address(*guest_address)?,
        guest_port,
        span,
    })
}

/// `NAME:tcp|udp:[HOST IP]:HOST PORT:[GUEST IP]:GUEST PORT`, as NAT networks have it; the guest's address is needed.
pub(super) fn network_forward(text: Spanned<&str>) -> Checked<ForwardDecl> {
    let wrong = || {
        let message = text!(
            "`{value}` is not a forward of a NAT network",
            "`{value}`: NAT 네트워크의 포트 포워딩 형식이 아닙니다",
            value = &text.value
        );
        let help = text!(
            "like `web:tcp:[127.0.0.1]:8080:[10.0.3.4]:80`; the guest's address cannot be left out",
            "`web:tcp:[127.0.0.1]:8080:[10.0.3.4]:80`처럼 쓰십시오. 게스트의 주소는 생략할 수 없습니다"
        );
        bad(Code::VboxBadValue, text.span, message, help)
    };
    let parts = bracketed(text).ok_or_else(wrong)?;
    let rule = forward(&parts, text.span)?;
    if rule.guest_address.is_none() { Err(wrong()) } else { Ok(rule) }
}

/// The parts between colons outside brackets, without the brackets.
fn bracketed(text: Spanned<&str>) -> Option<Vec<Spanned<&str>>> {
    let mut parts = Vec::new();
    let (mut start, mut inside) = (0, false);
    for (at, c) in text.value.char_indices().chain([(text.value.len(), ':')]) {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            ':' if !inside => {
                let part = text.value.get(start..at)?;
                let bare = part.strip_prefix('[').and_then(|p| p.strip_suffix(']'));
                let from = text.span.start + start + usize::from(bare.is_some());
                let bare = bare.unwrap_or(part);
                // What came out of a variable has no places inside.
                let is_literal = text.span.end - text.span.start == text.value.len();
                let place = Span::new(text.span.source, from, from + bare.len());
                parts.push(Spanned::new(bare, if is_literal { place } else { text.span }));
                start = at + 1;
            }
            _ => {}
        }
    }
    Some(parts)
}

/// `127.0.0.1=2`: a loopback address of the host, and the number of the address in the network that stands for it.
pub(super) fn loopback(text: Spanned<&str>) -> Checked<(IpAddr, u32)> {
    let parsed = text.value.split_once('=').and_then(|(address, offset)| {
        let address: Ipv4Addr = address.trim().parse().ok()?;
        Some((IpAddr::V4(address), offset.trim().parse().ok()?)).filter(|(a, n)| a.is_loopback() && 0 < *n)
    });
    parsed.ok_or_else(|| {
        let message =
            text!("`{value}` is not a loopback mapping", "`{value}`: 루프백 매핑이 아닙니다", value = &text.value);
        bad(Code::VboxBadValue, text.span, message, text!("like `127.0.0.1=2`", "`127.0.0.1=2`처럼 쓰십시오"))
    })
}

fn protocol_named(text: Spanned<&str>) -> Checked<Protocol> {
    match text.value.to_lowercase().as_str() {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        _ => {
            let message = text!(
                "`{value}` is not a protocol of a NAT forward",
                "`{value}`: NAT 포트 포워딩의 프로토콜이 아닙니다",
                value = &text.value
            );
            Err(bad(Code::VboxBadValue, text.span, message, text!("`tcp` or `udp`", "`tcp`나 `udp`로 쓰십시오")))
        }
    }
}
