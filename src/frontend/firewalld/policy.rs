//! Policy files: `/etc/firewalld/policies/NAME.xml`.

use crate::frontend::xml::{self, Element};
use crate::lab::declaration::{Declarations, PolicyDecl};
use crate::lab::{Content, Declaration};
use crate::source::{SourceId, Spanned};

use super::content::{Known, Reader, required};
use super::value;

/// Reads a policy file; `name` is its file name without `.xml`.
pub fn parse_policy(source: SourceId, name: &str, text: &str) -> Declarations {
    let document = match xml::parse(source, text) {
        Ok(document) => document,
        Err(error) => return Declarations { value: Vec::new(), diagnostics: vec![*error] },
    };
    let root = Element::root(&document, source);
    if root.name() != "policy" {
        let error = value::bad(root.tag(), "this is not a policy file", "the outermost element should be `policy`");
        return Declarations { value: Vec::new(), diagnostics: vec![*error] };
    }
    let mut reader = PolicyReader { policy: empty(name, root), common: Reader::new(format!("policy `{name}`")) };
    reader.attributes(root);
    root.children().for_each(|element| reader.element(element));
    reader.finish()
}

fn empty(name: &str, root: Element<'_, '_>) -> PolicyDecl {
    PolicyDecl {
        name: Spanned::new(name.to_owned(), root.tag()),
        target: None,
        priority: None,
        ingress: Vec::new(),
        egress: Vec::new(),
        services: Vec::new(),
        content: Content::default(),
        span: root.tag(),
    }
}

struct PolicyReader {
    policy: PolicyDecl,
    common: Reader,
}

impl PolicyReader {
    fn attributes(&mut self, root: Element<'_, '_>) {
        if let Some(target) = root.attribute("target") {
            match value::policy_target(target) {
                Ok(value) => self.policy.target = Some(Spanned::new(value, target.span)),
                Err(error) => self.common.out.diagnostics.push(*error),
            }
        }
        if let Some(priority) = root.attribute("priority") {
            // firewall/core/io/policy.py: 0 is reserved.
            match priority.value.parse().ok().filter(|p| *p != 0 && (-32768..=32767).contains(p)) {
                Some(value) => self.policy.priority = Some(Spanned::new(value, priority.span)),
                None => {
                    let message = format!("`{}` is not a priority of a policy", priority.value);
                    let error = value::bad(priority.span, message, "from -32768 to 32767, but not 0");
                    self.common.out.diagnostics.push(*error);
                }
            }
        }
    }

    fn element(&mut self, element: Element<'_, '_>) {
        let zones = match element.name() {
            "ingress-zone" => &mut self.policy.ingress,
            "egress-zone" => &mut self.policy.egress,
            _ => {
                if self.common.element(element) == Known::No {
                    self.common.unknown(element);
                }
                return;
            }
        };
        match required(element, "name") {
            Ok(name) => zones.push(name.map(str::to_owned)),
            Err(error) => self.common.out.diagnostics.push(*error),
        }
    }

    fn finish(self) -> Declarations {
        let Self { policy, common } = self;
        let mut out = common.out;
        let policy = PolicyDecl { services: common.services, content: common.content, ..policy };
        out.value.insert(0, Declaration::Policy(policy));
        out
    }
}
