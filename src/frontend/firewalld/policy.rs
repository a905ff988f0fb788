//! Policy files: `/etc/firewalld/policies/NAME.xml`.

use crate::frontend::xml::Element;
use crate::lab::declaration::{Declarations, PolicyDecl};
use crate::lab::{Content, Declaration};
use crate::language::text;
use crate::source::{SourceId, Spanned};

use super::content::{Reader, read_file, required};
use super::schema::Kind;
use super::value;

/// Reads a policy file; `name` is its file name without `.xml`.
pub fn parse_policy(source: SourceId, name: &str, text: &str) -> Declarations {
    read_file((source, text), (Kind::Policy, "policy"), format!("policy `{name}`"), |common, root| {
        let mut reader = PolicyReader { policy: empty(name, root), common };
        reader.attributes(root);
        root.children().for_each(|element| reader.element(element));
        reader.finish();
    })
}

fn empty(name: &str, root: Element<'_, '_>) -> PolicyDecl {
    PolicyDecl {
        name: Spanned::new(name.to_owned(), root.tag()),
        target: None,
        priority: None,
        ingress: Vec::new(),
        egress: Vec::new(),
        disabled: None,
        is_stock: false,
        services: Vec::new(),
        content: Content::default(),
        span: root.tag(),
    }
}

struct PolicyReader<'r> {
    policy: PolicyDecl,
    common: &'r mut Reader,
}

impl PolicyReader<'_> {
    fn attributes(&mut self, root: Element<'_, '_>) {
        if let Some(target) = root.attribute("target") {
            match value::policy_target(target) {
                Ok(value) => self.policy.target = Some(Spanned::new(value, target.span)),
                Err(error) => self.common.refuse(*error),
            }
        }
        if let Some(priority) = root.attribute("priority") {
            let message = || {
                text!(
                    "`{value}` is not a priority of a policy",
                    "`{value}`: 정책의 우선순위가 아닙니다",
                    value = &priority.value
                )
            };
            match priority.value.parse::<i32>() {
                // firewalld 1.3.3 and 2.5.2 warn about 0, which is reserved, and go on with -1.
                Ok(value) if value != 0 && (-32768..=32767).contains(&value) => {
                    self.policy.priority = Some(Spanned::new(value, priority.span));
                }
                Ok(_) => {
                    let error =
                        value::bad(priority.span, message(), text!("left out, so that it is -1", "제외하므로 -1이 됨"));
                    self.common.out.diagnostics.push(*error);
                }
                Err(_) => self.common.refuse(*value::bad(
                    priority.span,
                    message(),
                    text!("from -32768 to 32767", "-32768부터 32767까지"),
                )),
            }
        }
    }

    fn element(&mut self, element: Element<'_, '_>) {
        let zones = match element.name() {
            "ingress-zone" => &mut self.policy.ingress,
            "egress-zone" => &mut self.policy.egress,
            "disable" => return self.policy.disabled = Some(element.tag()),
            _ => return self.common.element(element),
        };
        match required(element, "name") {
            Ok(name) => zones.push(name.map(str::to_owned)),
            Err(error) => self.common.refuse(*error),
        }
    }

    fn finish(self) {
        let Self { policy, common } = self;
        let policy = PolicyDecl {
            services: std::mem::take(&mut common.services),
            content: std::mem::take(&mut common.content),
            ..policy
        };
        common.out.value.insert(0, Declaration::Policy(policy));
    }
}
