//! `VBoxManage` command lines: what they make of machines and networks.
//!
//! Which commands and options there are, and what is refused, was tried with VBoxManage 7.2.22.

mod machine;
mod networks;
mod options;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

/// Commands that show something, or change nothing that a packet would notice.
const HARMLESS: &str = "list showvminfo startvm registervm export signova showmediuminfo createmedium createhd createvdi \
    modifymedium modifyhd modifynvram mediumproperty mediumio clonemedium clonehd closemedium checkmediumpwd encryptmedium \
    encryptvm convertfromraw convertdd storagectl storageattach sharedfolder getextradata setproperty usbfilter usbdevsource \
    metrics bandwidthctl debugvm extpack updatecheck guestproperty objtracker help commands movevm movemedium \
    discardstate unattended";

/// Commands that may change how a machine is attached, or run something inside it.
const UNMODELED: &str = "clonevm import adoptstate guestcontrol cloud cloudprofile setextradata";

/// Commands that are read.
const READ: &str = "createvm modifyvm controlvm unregistervm natnetwork hostonlyif hostonlynet dhcpserver snapshot";

/// Reads one command line; the first word is the program.
pub fn parse(words: &[Word]) -> Declarations {
    let mut out = Declarations::default();
    let is_global = |word: &&Word| matches!(word.text.as_str(), "-q" | "--nologo" | "--detect");
    let Some(words) = words.get(1..) else { return out };
    let words = words.get(words.iter().take_while(is_global).count()..).unwrap_or_default();
    let (Some((command, arguments)), Some(whole)) = (words.split_first(), span(words)) else { return out };
    if let Some(place) = words.iter().find_map(uncertain) {
        out.value.push(unmodeled(command, place.to(whole)));
        return out;
    }
    let read = match command.text.as_str() {
        "createvm" => machine::create(arguments, whole),
        "modifyvm" => machine::modify(arguments),
        "controlvm" => machine::control(arguments),
        "unregistervm" => machine::unregister(arguments, whole),
        "natnetwork" => networks::nat_network(arguments, whole),
        "hostonlyif" => networks::host_only_interface(arguments, whole),
        "hostonlynet" => networks::host_only_network(arguments, whole),
        "dhcpserver" => networks::dhcp_server(arguments, whole),
        // What the machine's file says afterwards depends on the snapshot.
        "snapshot" if arguments.get(1).is_some_and(|verb| verb.text.starts_with("restore")) => {
            Ok(vec![unmodeled(command, whole)])
        }
        "snapshot" => Ok(Vec::new()),
        "setextradata" if !arguments.iter().any(|word| word.text.contains("VBoxInternal")) => Ok(Vec::new()),
        name if lists(HARMLESS, name) || name.starts_with('-') => Ok(Vec::new()),
        name if lists(UNMODELED, name) => Ok(vec![unmodeled(command, whole)]),
        _ => Err(Box::new(unknown_command(command))),
    };
    match read {
        Ok(declarations) => out.value.extend(declarations),
        Err(problem) => out.diagnostics.push(*problem),
    }
    out
}

/// What a command states, or why VBoxManage refuses it.
type Read = Result<Vec<Declaration>, Box<Diagnostic>>;

fn span(words: &[Word]) -> Option<Span> {
    Some(words.first()?.span.to(words.last()?.span))
}

fn lists(list: &str, name: &str) -> bool {
    list.split_whitespace().any(|word| word == name)
}

/// The place of an expansion whose value is not known.
fn uncertain(word: &Word) -> Option<Span> {
    word.unknown()
}

fn unmodeled(command: &Word, whole: Span) -> Declaration {
    Declaration::Unmodeled(Spanned::new(format!("`VBoxManage {}`", command.text).into(), whole))
}

/// A value as text with its place, without the quotes.
fn text(word: &Word) -> Spanned<&str> {
    Spanned::new(word.text.as_str(), word.place(0..word.text.len()))
}

fn unknown_command(command: &Word) -> Diagnostic {
    let message = text!(
        "VBoxManage has no command `{command}`",
        "VBoxManage에 `{command}` 명령은 없습니다",
        command = &command.text
    );
    let diagnostic = Diagnostic::new(Code::VboxUnknownFlag, message)
        .label(command.span, text!("VBoxManage stops here", "VBoxManage가 여기서 멈춤"));
    let known = [READ, HARMLESS, UNMODELED];
    match did_you_mean(&command.text, known.iter().flat_map(|list| list.split_whitespace())) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None => diagnostic,
    }
}

fn missing(what: impl Into<Text>, whole: Span) -> Box<Diagnostic> {
    let what = what.into();
    let message = text!("VBoxManage wants {what} here", "VBoxManage에는 여기에 {what}이(가) 필요합니다"; what);
    Box::new(
        Diagnostic::new(Code::VboxBadValue, message)
            .label(whole, text!("it stops with its usage", "사용법을 보여 주고 멈춤")),
    )
}

#[cfg(test)]
mod tests;
