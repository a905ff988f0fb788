//! What the modules of Ruby and Vagrant answer: `ENV`, `File`, `YAML`, `Vagrant`. Files are only those of the project.

use std::mem;
use std::rc::Rc;

use crate::frontend::placed::PlacedText;
use crate::frontend::ruby::tree::Call as Written;
use crate::frontend::yaml::scalar::is_sexagesimal;
use crate::frontend::yaml::{self, Node, Resolved, Style};
use crate::frontend::{File, beside, ruby};
use crate::language::text;
use crate::source::Span;

use super::builtin;
use super::eval::{Evaluator, Outcome};
use super::value::{Closure, Scope, Value};

/// Variables that every login session has, with values that nobody knows. Others are taken to be unset.
const ALWAYS_SET: [&str; 16] = [
    "HOME",
    "USER",
    "LOGNAME",
    "PATH",
    "PWD",
    "SHELL",
    "LANG",
    "TERM",
    "USERNAME",
    "USERPROFILE",
    "APPDATA",
    "OS",
    "COMPUTERNAME",
    "HOSTNAME",
    "TMPDIR",
    "SSH_AUTH_SOCK",
];

/// Files that load each other are followed this deep.
const MAX_LOADED: usize = 16;

impl Evaluator<'_> {
    /// A method of a module.
    pub(super) fn module_method(
        &mut self,
        module: &str,
        call: &Written,
        values: &[Value],
        block: Option<Rc<Closure>>,
        span: Span,
    ) -> Outcome {
        let value = match (module, call.name.as_str(), values) {
            ("Vagrant" | "Vagrant::Config", "configure" | "run", versions) => {
                return Ok(self.vagrant_configure(versions, block, span));
            }
            ("ENV", _, _) => return self.environment(&call.name, values, block.as_deref()),
            ("File" | "Pathname", _, _) => self.file_method(&call.name, values, span),
            ("YAML" | "Psych" | "JSON", _, _) => self.data(&call.name, values),
            ("Hash", "new", []) => Value::hash(Vec::new()),
            ("Array", "new", []) => Value::list(Vec::new()),
            ("Array", "new", [Value::Int(count), value]) => {
                let list = Value::list(vec![value.clone()]);
                builtin::method(&list, "*", &[Value::Int(*count)], span).unwrap_or(Value::Unknown)
            }
            ("String", "new", []) => builtin::string("", span),
            ("Proc", "new", _) => block.clone().map_or(Value::Unknown, Value::Lambda),
            ("Dir", "pwd", []) => builtin::string(".", span),
            _ => {
                if values.iter().any(|value| matches!(value, Value::Config(_))) {
                    self.not_followed(span, format!("`{module}.{}`", call.name));
                }
                Value::Unknown
            }
        };
        Ok(value)
    }

    fn vagrant_configure(&mut self, versions: &[Value], block: Option<Rc<Closure>>, span: Span) -> Value {
        let version = match versions {
            [Value::Int(version)] => version.to_string(),
            [version] => version.name().unwrap_or("").to_owned(),
            _ => String::new(),
        };
        let (Some(block), "2", None) = (block, version.as_str(), self.doubt) else {
            return self.not_followed(
                span,
                text!(
                    "a configuration of another version than \"2\", or one that may not be there",
                    "\"2\"가 아닌 버전의 설정, 또는 없을 수도 있는 설정"
                ),
            );
        };
        self.configure.push(block);
        Value::Nil
    }

    fn environment(&mut self, method: &str, values: &[Value], block: Option<&Closure>) -> Outcome {
        let Some(name) = values.first().and_then(Value::name) else { return Ok(Value::Unknown) };
        let set = match self.environment.get(name) {
            Some(value) => value.clone(),
            None if ALWAYS_SET.contains(&name) => Value::Unknown,
            None => Value::Nil,
        };
        Ok(match (method, values, &set) {
            ("[]", [_], _) => set,
            ("fetch", [_], Value::Nil) => match block {
                Some(block) => return self.run(block, values.to_vec()),
                None => Value::Unknown,
            },
            ("fetch", [_, default], Value::Nil) => default.clone(),
            ("fetch", ..) => set,
            ("key?" | "has_key?" | "include?", [_], Value::Nil) => Value::Bool(false),
            _ => Value::Unknown,
        })
    }

    fn file_method(&mut self, method: &str, values: &[Value], span: Span) -> Value {
        let names: Option<Vec<&str>> = values.iter().map(Value::name).collect();
        let Some(names) = names else { return Value::Unknown };
        let text = |text: &str| builtin::string(text, span);
        match (method, names.as_slice()) {
            ("join", parts) => text(&parts.join("/").replace("//", "/")),
            ("expand_path" | "absolute_path" | "realpath", [path]) => text(&below(".", path)),
            ("expand_path" | "absolute_path", [path, base]) => text(&below(base, path)),
            ("dirname", [path]) => text(path.rsplit_once('/').map_or(".", |(directory, _)| directory)),
            ("basename", [path]) => text(path.rsplit('/').next().unwrap_or(path)),
            ("exist?" | "exists?" | "file?", [path]) if !path.starts_with('~') => match self.find(path) {
                Some(_) => Value::Bool(true),
                // It may be a directory.
                None if path.rsplit('/').next().is_some_and(|name| name.contains('.')) => Value::Bool(false),
                None => Value::Unknown,
            },
            ("read" | "open", [path]) => match self.find(path) {
                Some(file) => Value::text(PlacedText::whole(file.source, &file.text)),
                None => Value::Unknown,
            },
            _ => Value::Unknown,
        }
    }

    /// A file of the project.
    pub(super) fn find(&mut self, path: &str) -> Option<File> {
        let path = path.strip_prefix("/vagrant/").unwrap_or(path);
        let path = beside(&self.directory, path)?;
        (self.open)(&path)
    }

    /// `YAML.load_file`, `YAML.load(File.read(…))`, `JSON.parse(…)`; JSON is YAML too.
    fn data(&mut self, method: &str, values: &[Value]) -> Value {
        let (source, text) = match (method, values.first()) {
            ("load_file" | "safe_load_file" | "unsafe_load_file", Some(path)) => {
                let file = path.name().map(str::to_owned).and_then(|path| self.find(&path));
                let Some(file) = file else { return Value::Unknown };
                (file.source, file.text.to_string())
            }
            ("load" | "safe_load" | "unsafe_load" | "parse", Some(Value::Str(text))) => {
                let Some(place) = text.span(0..text.as_str().len()).filter(|_| text.is_known()) else {
                    return Value::Unknown;
                };
                (place.source, text.as_str().to_owned())
            }
            _ => return Value::Unknown,
        };
        let read = yaml::parse(source, &text);
        self.out.diagnostics.extend(read.diagnostics);
        read.value.map_or(Value::Nil, |node| from_yaml(&node))
    }

    /// Runs another file of the project where it is loaded; `require` of a library gives nothing.
    pub(super) fn load(&mut self, path: Option<&str>, how: &str, span: Span) -> Value {
        let Some(path) = path else {
            return self
                .not_followed(span, text!("another file whose name is not known", "이름을 알 수 없는 다른 파일"));
        };
        let path = match (how, self.file.rsplit_once('/')) {
            ("require_relative", Some((directory, _))) => format!("{directory}/{path}"),
            _ => path.to_owned(),
        };
        let candidates = [path.clone(), format!("{path}.rb")];
        let Some(file) = candidates.iter().find_map(|path| self.find(path)) else {
            if how != "require" {
                self.not_followed(
                    span,
                    text!("`{path}`, which is not among the files of the project", "프로젝트의 파일에 없는 `{path}`"),
                );
            }
            return Value::Nil;
        };
        if self.loaded.contains(&file.path) {
            return Value::Bool(false);
        }
        if MAX_LOADED <= self.loaded.len() || self.doubt.is_some() {
            return self.not_followed(span, format!("`{path}`"));
        }
        self.loaded.push(file.path.clone());
        let read = ruby::parse(file.source, &file.text);
        self.out.diagnostics.extend(read.diagnostics);
        let inside = file.path.strip_prefix(&self.directory).unwrap_or(&file.path).trim_start_matches('/');
        let outside = mem::replace(&mut self.file, inside.to_owned());
        let _ = self.statements(&read.value, &Scope::default());
        self.file = outside;
        Value::Bool(true)
    }
}

/// A path as seen from the project's directory.
fn below(base: &str, path: &str) -> String {
    // `File.expand_path("../x", __FILE__)`: the first step leaves the file.
    let base = base.trim_end_matches('/');
    match beside(base, path) {
        Some(path) => format!("./{path}"),
        None => path.to_owned(),
    }
}

fn from_yaml(node: &Node) -> Value {
    let string = |text: &str| builtin::string(text, node.content);
    match &node.value {
        yaml::Value::Sequence(items) => Value::list(items.iter().map(from_yaml).collect()),
        yaml::Value::Mapping(entries) => {
            let entry = |entry: &yaml::Entry| {
                let key = match entry.key.value.strip_prefix(':') {
                    Some(symbol) => Value::Symbol(symbol.to_owned()),
                    None => builtin::string(&entry.key.value, entry.key.span),
                };
                (key, from_yaml(&entry.value))
            };
            Value::hash(entries.iter().map(entry).collect())
        }
        yaml::Value::Scalar(text) => match node.resolve() {
            Some(Resolved::Null) => Value::Nil,
            Some(Resolved::Bool(value)) => Value::Bool(value),
            Some(Resolved::Int(value)) => Value::Int(value),
            Some(Resolved::Float) => Value::Unknown,
            // Ruby reads YAML 1.1.
            _ if node.style == Style::Plain => match text.to_ascii_lowercase().as_str() {
                "yes" | "on" => Value::Bool(true),
                "no" | "off" => Value::Bool(false),
                _ if is_sexagesimal(text) => Value::Unknown,
                _ => text.strip_prefix(':').map_or_else(|| string(text), |name| Value::Symbol(name.to_owned())),
            },
            _ => string(text),
        },
    }
}
