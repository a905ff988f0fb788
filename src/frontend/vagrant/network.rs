//! `config.vm.network`: which networks a machine has in the end, and what their options say.
//!
//! Vagrant 2.4, plugins/kernel_v2/config/vm.rb, `network` and `finalize!`: a later call with the same id changes the
//! former one; ports are told apart by address, protocol and host port; ssh is forwarded unless somebody says otherwise.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic};
use crate::language::{Text, text};
use crate::net::Protocol;
use crate::source::{Span, Spanned};

use super::record::{Argument, Call};
use super::value::Value;

/// The provider that is modelled; `virtualbox__ip:` holds for it alone (lib/vagrant/util/scoped_hash_override.rb).
const SCOPE: &str = "virtualbox__";

/// One network of a machine.
#[derive(Clone, Debug)]
pub(super) struct Network {
    /// `forwarded_port`, `private_network`, `public_network`.
    pub(super) kind: String,
    options: Vec<(String, Argument)>,
    /// The last call that speaks of it.
    pub(super) span: Span,
    pub(super) doubt: Option<[&'static str; 2]>,
}

/// What cannot be used of a value.
pub(super) enum Bad {
    /// It is not known before Vagrant runs.
    Unknown,
    /// Vagrant or the provider refuses it.
    Refused(Box<Diagnostic>),
}

/// The networks that calls make, in the order in which they were first named; what is no network at the end.
pub(super) fn networks(calls: &[Call]) -> (Vec<Network>, Vec<Span>) {
    let mut networks: Vec<(String, Network)> = Vec::new();
    let mut unknown = Vec::new();
    for call in calls.iter().filter(|call| call.method == "vm.network") {
        let Some(kind) = call.first_name() else {
            unknown.push(call.span);
            continue;
        };
        let new = Network { kind: kind.to_owned(), options: options(call), span: call.span, doubt: call.doubt };
        let id = new.id(networks.len());
        match networks.iter_mut().find(|(known, _)| *known == id) {
            Some((_, network)) => {
                network.options.extend(new.options);
                network.span = new.span;
                network.doubt = network.doubt.or(new.doubt);
            }
            None => networks.push((id, new)),
        }
    }
    (networks.into_iter().map(|(_, network)| network).collect(), unknown)
}

/// Keyword arguments, and a hash in their place, which older versions of Ruby take for the same.
fn options(call: &Call) -> Vec<(String, Argument)> {
    let mut options = Vec::new();
    if let Some(Argument { value: Value::Hash(pairs), span }) = call.arguments.get(1) {
        let named = |(key, value): &(Value, Value)| {
            Some((key.name()?.to_owned(), Argument { value: value.clone(), span: *span }))
        };
        options.extend(pairs.borrow().iter().filter_map(named));
    }
    options.extend(call.options.clone());
    options
}

impl Network {
    /// The forward to the guest's ssh that is there when no other has its id.
    pub(super) fn ssh(span: Span) -> Self {
        Self::implied(span, "ssh", 22, 2222)
    }

    /// Forwards to the remote management of a Windows guest.
    pub(super) fn winrm(span: Span) -> [Self; 2] {
        [Self::implied(span, "winrm", 5985, 55985), Self::implied(span, "winrm-ssl", 5986, 55986)]
    }

    fn implied(span: Span, id: &str, guest: i64, host: i64) -> Self {
        let option = |name: &str, value: Value| (name.to_owned(), Argument { value, span });
        let options = vec![
            option("guest", Value::Int(guest)),
            option("host", Value::Int(host)),
            option("host_ip", Value::Symbol("127.0.0.1".to_owned())),
            option("id", Value::Symbol(id.to_owned())),
            option("auto_correct", Value::Bool(true)),
        ];
        Self { kind: "forwarded_port".to_owned(), options, span, doubt: None }
    }

    fn id(&self, number: usize) -> String {
        let text = |name: &str| match self.value(name) {
            Some(Value::Int(number)) => number.to_string(),
            Some(other) => other.name().unwrap_or("").to_owned(),
            None => String::new(),
        };
        let id = match (self.value("id"), self.kind.as_str()) {
            (Some(_), _) => text("id"),
            (None, "forwarded_port") => {
                let protocol = Some(text("protocol")).filter(|p| !p.is_empty()).unwrap_or_else(|| "tcp".to_owned());
                format!("{}{protocol}{}", text("host_ip"), text("host"))
            }
            // A random one.
            (None, _) => format!("#{number}"),
        };
        format!("{}-{id}", self.kind)
    }

    /// Whether it has this id.
    pub(super) fn has_id(&self, id: &str) -> bool {
        self.id(0) == format!("{}-{id}", self.kind)
    }

    /// The option that holds for VirtualBox.
    pub(super) fn option(&self, name: &str) -> Option<&Argument> {
        let scoped = format!("{SCOPE}{name}");
        let last =
            |wanted: &str| self.options.iter().rev().find(|(key, _)| key == wanted).map(|(_, argument)| argument);
        last(&scoped).or_else(|| last(name))
    }

    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.option(name).map(|argument| &argument.value).filter(|value| !matches!(value, Value::Nil))
    }

    /// Whether an option is set to something that Ruby takes for true; `default` if it is not there.
    pub(super) fn is_set(&self, name: &str, default: bool) -> Result<bool, Bad> {
        match self.option(name) {
            Some(argument) => argument.value.truth().ok_or(Bad::Unknown),
            None => Ok(default),
        }
    }

    /// The text of an option.
    pub(super) fn text(&self, name: &str) -> Result<Option<Spanned<String>>, Bad> {
        let Some(argument) = self.option(name) else { return Ok(None) };
        match &argument.value {
            Value::Nil => Ok(None),
            Value::Unknown => Err(Bad::Unknown),
            value => match value.name() {
                Some(text) => Ok(Some(Spanned::new(text.to_owned(), argument.span)).filter(|t| !t.value.is_empty())),
                None if matches!(value, Value::Str(_)) => Err(Bad::Unknown),
                None => Err(refused(
                    argument.span,
                    text!("`{name}` is no text", "`{name}`의 값이 텍스트가 아닙니다"),
                    text!("write it in quotes", "따옴표로 감싸십시오"),
                )),
            },
        }
    }

    /// An address.
    pub(super) fn address(&self, name: &str) -> Result<Option<Spanned<IpAddr>>, Bad> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.value.parse() {
            Ok(address) => Ok(Some(Spanned::new(address, text.span))),
            Err(_) => Err(refused(
                text.span,
                text!("`{value}` is not an address", "`{value}`: 주소가 아닙니다", value = &text.value),
                text!(
                    "write a literal IP address: Vagrant hands any other text on to VirtualBox, which takes it without a word",
                    "IP 주소를 그대로 쓰십시오. Vagrant는 다른 텍스트도 VirtualBox에 넘기고, VirtualBox는 아무 말 없이 받아들입니다"
                ),
            )),
        }
    }

    /// A port, which may be written as text.
    pub(super) fn port(&self, name: &str) -> Result<Spanned<u16>, Bad> {
        let Some(argument) = self.option(name) else {
            let what = text!("a forwarded port without `{name}:`", "포워딩 포트에 `{name}:`이(가) 없습니다");
            return Err(refused(
                self.span,
                what,
                text!("Vagrant wants both `guest:` and `host:`", "`guest:`와 `host:`를 모두 쓰십시오"),
            ));
        };
        let number = match &argument.value {
            Value::Unknown => return Err(Bad::Unknown),
            Value::Int(number) => u16::try_from(*number).ok(),
            value => match value.name() {
                Some(text) => text.trim().parse().ok(),
                None if matches!(value, Value::Str(_)) => return Err(Bad::Unknown),
                None => None,
            },
        };
        let shown = match &argument.value {
            Value::Int(number) => number.to_string(),
            other => other.name().map_or_else(|| format!("{name}:"), str::to_owned),
        };
        match number.filter(|port| *port != 0) {
            Some(port) => Ok(Spanned::new(port, argument.span)),
            None => Err(Bad::Refused(Box::new(
                Diagnostic::new(Code::BadPort, text!("`{shown}` is not a port", "`{shown}`: 포트가 아닙니다"))
                    .label(argument.span, text!("ports go from 1 to 65535", "포트는 1부터 65535까지임")),
            ))),
        }
    }

    /// `tcp` unless stated.
    pub(super) fn protocol(&self) -> Result<Protocol, Bad> {
        let Some(text) = self.text("protocol")? else { return Ok(Protocol::Tcp) };
        match text.value.as_str() {
            "tcp" => Ok(Protocol::Tcp),
            "udp" => Ok(Protocol::Udp),
            other => Err(refused(
                text.span,
                text!(
                    "`{other}` is not a protocol of a forwarded port",
                    "`{other}`: 포워딩 포트의 프로토콜이 아닙니다"
                ),
                text!("`tcp` or `udp`", "`tcp`나 `udp`로 쓰십시오"),
            )),
        }
    }
}

/// A value that is refused.
pub(super) fn refused(span: Span, message: Text, help: Text) -> Bad {
    Bad::Refused(Box::new(
        Diagnostic::new(Code::VagrantBadValue, message).label(span, text!("here", "여기")).help(help),
    ))
}
