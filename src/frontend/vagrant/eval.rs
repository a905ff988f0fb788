//! Statements and expressions: follows a Vagrantfile as far as its values are known, without running anything.
//!
//! What hangs on a condition or a list that is not known is walked *in doubt*: calls on configuration objects are then
//! recorded as doubtful, and what is assigned is not known afterwards. Every input ends: expressions are counted.

use std::collections::BTreeMap;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::Open;
use crate::frontend::placed::{Nature, PlacedText, UNKNOWN};
use crate::frontend::ruby::tree::{Block, Expr, Jump, Kind, Pair, Piece, Target};
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

use super::builtin;
use super::record::{Argument, Call, Config};
use super::value::{Closure, Scope, Value};

/// So many expressions are followed in a whole file.
const MAX_STEPS: usize = 50_000;

/// So deep may expressions and calls stand inside each other.
const MAX_DEPTH: usize = 120;

/// How evaluation goes on.
pub(super) enum Stop {
    /// Control leaves the block or the method.
    Jump(Jump, Value),
    /// Nothing more is run.
    End,
}

pub(super) type Outcome = Result<Value, Stop>;

/// `config.vm.define`: its name, and the blocks that are run when everything else is known.
#[derive(Debug)]
pub(super) struct Defined {
    pub(super) name: Spanned<String>,
    pub(super) blocks: Vec<Rc<Closure>>,
}

/// The state of evaluation.
pub(super) struct Evaluator<'a> {
    /// The directory that the files of the project are in.
    pub(super) directory: String,
    pub(super) open: Open<'a>,
    /// Global variables, those of objects, and constants.
    globals: BTreeMap<String, Value>,
    /// What the file itself puts into the environment.
    pub(super) environment: BTreeMap<String, Value>,
    pub(super) methods: BTreeMap<String, Arc<Block>>,
    /// Blocks of `Vagrant.configure`, which are run when the whole file was read.
    pub(super) configure: Vec<Rc<Closure>>,
    pub(super) defined: Vec<Defined>,
    pub(super) doubt: Option<[&'static str; 2]>,
    steps: usize,
    depth: usize,
    /// The file at hand, as seen from the directory.
    pub(super) file: String,
    /// Files that were loaded, so that none is loaded in a circle.
    pub(super) loaded: Vec<String>,
    pub(super) out: Declarations,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(directory: &str, open: Open<'a>) -> Self {
        Self {
            directory: directory.to_owned(),
            open,
            globals: BTreeMap::new(),
            environment: BTreeMap::new(),
            methods: BTreeMap::new(),
            configure: Vec::new(),
            defined: Vec::new(),
            doubt: None,
            steps: MAX_STEPS,
            depth: 0,
            file: "Vagrantfile".to_owned(),
            loaded: Vec::new(),
            out: Declarations::default(),
        }
    }

    /// The value of the last statement.
    pub(super) fn statements(&mut self, statements: &[Expr], scope: &Scope) -> Outcome {
        let mut last = Value::Nil;
        for statement in statements {
            last = self.expr(statement, scope)?;
        }
        Ok(last)
    }

    pub(super) fn expr(&mut self, expr: &Expr, scope: &Scope) -> Outcome {
        if self.steps == 0 || MAX_DEPTH <= self.depth {
            if self.steps != 0 {
                return Ok(self
                    .not_followed(expr.span, text!("an expression inside too many others", "너무 깊이 들어 있는 식")));
            }
            return Err(Stop::End);
        }
        self.steps -= 1;
        if self.steps == 0 {
            self.not_followed(
                expr.span,
                text!(
                    "everything that the file does from here on, because it does so much",
                    "파일이 하는 일이 너무 많아 여기서부터의 모든 것"
                ),
            );
            return Err(Stop::End);
        }
        self.depth += 1;
        let outcome = self.kind(expr, scope);
        self.depth -= 1;
        outcome
    }

    fn kind(&mut self, expr: &Expr, scope: &Scope) -> Outcome {
        Ok(match &expr.kind {
            Kind::Nil => Value::Nil,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Int(value) => Value::Int(*value),
            Kind::Str(pieces) => Value::text(self.string(pieces, scope)?),
            Kind::Symbol(pieces) => {
                let text = self.string(pieces, scope)?;
                if text.is_known() { Value::Symbol(text.as_str().to_owned()) } else { Value::Unknown }
            }
            Kind::SourceFile => builtin::string(&format!("./{}", self.file), expr.span),
            Kind::Regex(source) => Value::Regex(source.clone()),
            Kind::Array(items) => {
                let items = self.items(items, scope)?;
                items.map_or(Value::Unknown, |items| Value::list(items.into_iter().map(|item| item.value).collect()))
            }
            Kind::Hash(pairs) | Kind::Keywords(pairs) => self.hash(pairs, scope)?,
            Kind::Range { from, to, excludes_end } => match (self.expr(from, scope)?, self.expr(to, scope)?) {
                (Value::Int(from), Value::Int(to)) => Value::Range(from, to.saturating_sub((*excludes_end).into())),
                _ => Value::Unknown,
            },
            Kind::Local(name) => scope.get(name).unwrap_or(Value::Nil),
            Kind::Global(name) => self.globals.get(name).cloned().unwrap_or(Value::Nil),
            Kind::Constant(name) => self.constant(name),
            Kind::Assign(target, value) => {
                let value = self.expr(value, scope)?;
                self.assign(target, value.clone(), expr.span, scope)?;
                value
            }
            Kind::Update(target, operator, value) => self.update(target, operator, value, expr.span, scope)?,
            Kind::Call(call) => self.call(call, expr.span, scope)?,
            Kind::Splat(list) => self.expr(list, scope)?,
            Kind::Lambda(block) => self.closure(block, scope),
            Kind::Def(name, block) => {
                self.methods.insert(name.clone(), Arc::clone(block));
                Value::Symbol(name.clone())
            }
            _ => return self.control(expr, scope),
        })
    }

    fn control(&mut self, expr: &Expr, scope: &Scope) -> Outcome {
        match &expr.kind {
            Kind::If { condition, yes, no } => match self.expr(condition, scope)?.truth() {
                Some(true) => self.statements(yes, scope),
                Some(false) => self.statements(no, scope),
                None => self.either(&[yes, no], scope),
            },
            Kind::Case { subject, arms, otherwise } => self.case(subject.as_deref(), arms, otherwise, scope),
            Kind::And(left, right) => {
                let left = self.expr(left, scope)?;
                match left.truth() {
                    Some(true) => self.expr(right, scope),
                    Some(false) => Ok(left),
                    None => self.either(&[std::slice::from_ref(right)], scope),
                }
            }
            Kind::Or(left, right) => {
                let left = self.expr(left, scope)?;
                match left.truth() {
                    Some(true) => Ok(left),
                    Some(false) => self.expr(right, scope),
                    None => self.either(&[std::slice::from_ref(right)], scope),
                }
            }
            Kind::Sequence(statements) => self.statements(statements, scope),
            Kind::Rescued(statements, rescue) => {
                let value = self.statements(statements, scope)?;
                self.doubtful(["only after an error", "오류가 난 뒤에만"], |e| e.statements(rescue, scope))?;
                Ok(value)
            }
            Kind::Jump(jump, value) => {
                let value = self.expr(value, scope)?;
                Err(Stop::Jump(*jump, value))
            }
            Kind::Loop(body) => {
                self.doubtful(["in a loop", "반복문 안"], |e| e.statements(body, scope))?;
                Ok(Value::Unknown)
            }
            _ => Ok(Value::Unknown),
        }
    }

    /// One of several branches is run, nobody knows which.
    fn either(&mut self, branches: &[&[Expr]], scope: &Scope) -> Outcome {
        for branch in branches {
            self.doubtful(
                ["only under a condition that is not known", "알 수 없는 조건에 따라서만"],
                |e| e.statements(branch, scope),
            )?;
        }
        Ok(Value::Unknown)
    }

    /// Runs something of which it is not certain that it is run. If it leaves the block, what follows in the block is as
    /// uncertain.
    pub(super) fn doubtful(
        &mut self,
        why: [&'static str; 2],
        run: impl FnOnce(&mut Self) -> Outcome,
    ) -> Result<(), Stop> {
        let outer = self.doubt;
        self.doubt = outer.or(Some(why));
        let outcome = run(self);
        match outcome {
            Ok(_) => self.doubt = outer,
            Err(Stop::End) if self.steps == 0 => return Err(Stop::End),
            // `raise unless …`: that Vagrant stops here is not what the file is for.
            Err(Stop::End) => self.doubt = outer,
            Err(Stop::Jump(..)) => {}
        }
        Ok(())
    }

    fn case(
        &mut self,
        subject: Option<&Expr>,
        arms: &[(Vec<Expr>, Vec<Expr>)],
        otherwise: &[Expr],
        scope: &Scope,
    ) -> Outcome {
        let subject = subject.map(|subject| self.expr(subject, scope)).transpose()?;
        for (conditions, body) in arms {
            let mut matches = Some(false);
            for condition in conditions {
                let pattern = self.expr(condition, scope)?;
                let one = subject.as_ref().map_or_else(|| pattern.truth(), |s| builtin::case_equals(&pattern, s));
                matches = builtin::or(matches, one);
            }
            match matches {
                Some(true) => return self.statements(body, scope),
                Some(false) => {}
                None => {
                    let bodies: Vec<&[Expr]> =
                        arms.iter().map(|(_, body)| body.as_slice()).chain([otherwise]).collect();
                    return self.either(&bodies, scope);
                }
            }
        }
        self.statements(otherwise, scope)
    }

    fn string(&mut self, pieces: &[Piece], scope: &Scope) -> Result<PlacedText, Stop> {
        let mut text = PlacedText::default();
        for piece in pieces {
            match piece {
                Piece::Literal(part, span) => text.push(part, *span, Nature::Literal),
                Piece::Escaped(part, span) => text.push(part, *span, Nature::Computed),
                Piece::Code(code, span) => match builtin::to_text(&self.statements(code, scope)?, *span) {
                    // Lines of another text keep their own places.
                    Some(value) if value.as_str().contains('\n') => text.append(&value),
                    Some(value) if value.is_known() => text.push(value.as_str(), *span, Nature::Computed),
                    _ => text.push(UNKNOWN, *span, Nature::Unknown),
                },
            }
        }
        Ok(text)
    }

    /// Elements or arguments; nothing if a splat makes their number unknown.
    pub(super) fn items(&mut self, items: &[Expr], scope: &Scope) -> Result<Option<Vec<Argument>>, Stop> {
        let mut values = Vec::new();
        let mut is_known = true;
        for item in items {
            let value = self.expr(item, scope)?;
            match (&item.kind, &value) {
                (Kind::Splat(_), Value::List(list)) => {
                    values.extend(list.borrow().iter().map(|v| Argument { value: v.clone(), span: item.span }));
                }
                (Kind::Splat(_), Value::Range(first, last)) => match builtin::numbers(*first, *last) {
                    Some(list) => values.extend(list.into_iter().map(|value| Argument { value, span: item.span })),
                    None => is_known = false,
                },
                (Kind::Splat(_), _) => is_known = false,
                _ => values.push(Argument { value, span: item.span }),
            }
        }
        Ok(is_known.then_some(values))
    }

    fn hash(&mut self, pairs: &[Pair], scope: &Scope) -> Outcome {
        let mut entries: Vec<(Value, Value)> = Vec::new();
        for pair in pairs {
            match pair {
                Pair::Entry(key, value) => {
                    let (key, value) = (self.expr(key, scope)?, self.expr(value, scope)?);
                    builtin::insert(&mut entries, key, value);
                }
                Pair::Splat(hash) => match self.expr(hash, scope)? {
                    Value::Hash(other) => {
                        for (key, value) in other.borrow().iter() {
                            builtin::insert(&mut entries, key.clone(), value.clone());
                        }
                    }
                    Value::Nil => {}
                    _ => return Ok(Value::Unknown),
                },
            }
        }
        Ok(Value::hash(entries))
    }

    fn constant(&self, name: &str) -> Value {
        let last = name.rsplit("::").next().unwrap_or(name);
        self.globals.get(last).cloned().unwrap_or_else(|| Value::Module(name.to_owned()))
    }

    pub(super) fn closure(&self, block: &Arc<Block>, scope: &Scope) -> Value {
        Value::Lambda(Rc::new(Closure { block: Arc::clone(block), scope: scope.clone() }))
    }

    pub(super) fn assign(&mut self, target: &Target, value: Value, span: Span, scope: &Scope) -> Result<(), Stop> {
        // Afterwards nobody knows whether the old or the new value is there.
        let value = if self.doubt.is_some() && !matches!(value, Value::Config(_)) { Value::Unknown } else { value };
        match target {
            Target::Local(name) => scope.assign(name, value),
            Target::Global(name) | Target::Constant(name) => drop(self.globals.insert(name.clone(), value)),
            Target::Index(receiver, arguments) => {
                let receiver = self.expr(receiver, scope)?;
                let arguments = self.items(arguments, scope)?;
                match (receiver, arguments.as_deref()) {
                    (Value::Hash(pairs), Some([key])) if !value.is_deeper_than(8) => {
                        builtin::insert(&mut pairs.borrow_mut(), key.value.clone(), value);
                    }
                    (Value::List(items), Some([Argument { value: Value::Int(at), .. }])) => {
                        let slot = usize::try_from(*at).ok();
                        let mut items = items.borrow_mut();
                        match slot.and_then(|at| items.get_mut(at)) {
                            Some(item) if !value.is_deeper_than(8) => *item = value,
                            _ => items.push(Value::Unknown),
                        }
                    }
                    (Value::Config(config), Some([key])) => {
                        let arguments = vec![key.clone(), Argument { value, span }];
                        self.record(&config, "[]=", arguments, span);
                    }
                    (Value::Module(module), Some([key])) if module == "ENV" => {
                        self.environment.extend(key.value.name().map(|name| (name.to_owned(), value)));
                    }
                    _ => {}
                }
            }
            Target::Attribute(receiver, name, place) => {
                if let Value::Config(config) = self.expr(receiver, scope)? {
                    self.record(&config, &format!("{name}="), vec![Argument { value, span }], *place);
                }
            }
            Target::Several(targets) => {
                let values = match value {
                    Value::List(values) => values.borrow().clone(),
                    _ => vec![Value::Unknown; targets.len()],
                };
                let values = values.into_iter().chain(std::iter::repeat(Value::Nil));
                for (target, value) in targets.iter().zip(values) {
                    self.assign(target, value, span, scope)?;
                }
            }
            Target::Other => drop(self.not_followed(span, text!("an assignment of this kind", "이런 종류의 대입"))),
        }
        Ok(())
    }

    fn record(&mut self, config: &Rc<Config>, name: &str, arguments: Vec<Argument>, span: Span) {
        let call = Call {
            method: config.method(name),
            arguments,
            options: Vec::new(),
            inside: Rc::default(),
            late: None,
            span,
            doubt: self.doubt,
        };
        config.calls.borrow_mut().push(call);
    }

    fn update(&mut self, target: &Target, operator: &str, value: &Expr, span: Span, scope: &Scope) -> Outcome {
        let old = match target {
            Target::Local(name) => scope.get(name).unwrap_or(Value::Nil),
            Target::Global(name) | Target::Constant(name) => self.globals.get(name).cloned().unwrap_or(Value::Nil),
            Target::Index(receiver, arguments) => {
                let receiver = self.expr(receiver, scope)?;
                let arguments = self.items(arguments, scope)?;
                let key =
                    arguments.as_deref().and_then(<[Argument]>::first).map_or(Value::Unknown, |a| a.value.clone());
                builtin::at(&receiver, &key)
            }
            _ => Value::Unknown,
        };
        let value = match (operator, old.truth()) {
            ("||", Some(true)) | ("&&", Some(false)) => return Ok(old),
            ("||", Some(false)) | ("&&", Some(true)) => self.expr(value, scope)?,
            ("||" | "&&", None) => Value::Unknown,
            _ => {
                let value = self.expr(value, scope)?;
                builtin::method(&old, operator, &[value], span).unwrap_or(Value::Unknown)
            }
        };
        self.assign(target, value.clone(), span, scope)?;
        Ok(value)
    }

    /// Runs a block with values for its parameters.
    pub(super) fn run(&mut self, closure: &Closure, values: Vec<Value>) -> Outcome {
        let scope = closure.scope.inner();
        let doubt = self.doubt;
        let outcome =
            self.bind(&closure.block, values, &scope, true).and_then(|()| self.statements(&closure.block.body, &scope));
        self.doubt = doubt;
        match outcome {
            Err(Stop::Jump(Jump::Next, value)) => Ok(value),
            other => other,
        }
    }

    /// Runs a method of the file.
    pub(super) fn invoke(&mut self, block: &Arc<Block>, values: Vec<Value>) -> Outcome {
        let scope = Scope::default();
        let doubt = self.doubt;
        let outcome = self.bind(block, values, &scope, false).and_then(|()| self.statements(&block.body, &scope));
        self.doubt = doubt;
        match outcome {
            Err(Stop::Jump(Jump::Return, value)) => Ok(value),
            other => other,
        }
    }

    /// Gives parameters their values. A block that has several parameters takes a list apart.
    fn bind(&mut self, block: &Block, mut values: Vec<Value>, scope: &Scope, is_block: bool) -> Result<(), Stop> {
        let parameters = &block.parameters;
        let named = !parameters.keywords.is_empty() || parameters.keyword_rest.is_some();
        let keywords = match values.last() {
            Some(Value::Hash(_)) if named => values.pop().unwrap_or(Value::Nil),
            _ => Value::hash(Vec::new()),
        };
        let places = parameters.required.len() + parameters.optional.len();
        if let (true, [Value::List(only)]) = (is_block && (places > 1 || parameters.rest.is_some()), values.as_slice())
        {
            let list = only.borrow().clone();
            values = list;
        } else if let (true, [Value::Unknown]) = (is_block && places > 1, values.as_slice()) {
            values = vec![Value::Unknown; places];
        }
        let mut values = values.into_iter();
        for target in &parameters.required {
            let value = values.next().unwrap_or(Value::Nil);
            self.parameter(target, value, scope);
        }
        for (name, default) in &parameters.optional {
            let value = match values.next() {
                Some(value) => value,
                None => self.expr(default, scope)?,
            };
            scope.declare(name, value);
        }
        if let Some(rest) = &parameters.rest {
            scope.declare(rest, Value::list(values.collect()));
        }
        for (name, default) in &parameters.keywords {
            let given = keywords.entry(&Value::Symbol(name.clone()));
            let value = match (given, default) {
                (Value::Nil, Some(default)) => self.expr(default, scope)?,
                (given, _) => given,
            };
            scope.declare(name, value);
        }
        if let Some(rest) = &parameters.keyword_rest {
            scope.declare(rest, keywords);
        }
        Ok(())
    }

    fn parameter(&mut self, target: &Target, value: Value, scope: &Scope) {
        match target {
            Target::Local(name) => scope.declare(name, value),
            Target::Several(targets) => {
                let values = match value {
                    Value::List(values) => values.borrow().clone(),
                    other => vec![other; targets.len().min(1)],
                };
                let values = values.into_iter().chain(std::iter::repeat(Value::Nil));
                for (target, value) in targets.iter().zip(values) {
                    self.parameter(target, value, scope);
                }
            }
            _ => {}
        }
    }

    /// Says that something is not followed and may matter.
    pub(super) fn not_followed(&mut self, span: Span, what: impl Into<Text>) -> Value {
        let what = what.into();
        if !self.out.value.iter().any(|d| matches!(d, Declaration::Unmodeled(u) if u.span == span)) {
            self.out.diagnostics.push(not_followed(span, &what));
            self.out.value.push(Declaration::Unmodeled(Spanned::new(what, span)));
        }
        Value::Unknown
    }

    pub(super) fn take_out(&mut self) -> Declarations {
        mem::take(&mut self.out)
    }
}

/// What is not followed, as a message.
pub(super) fn not_followed(span: Span, what: &Text) -> Diagnostic {
    Diagnostic::new(Code::VagrantNotFollowed, text!("not followed: {what}", "{what}: 따라가지 않음"; what))
        .label(span, text!("known only when Vagrant runs", "Vagrant가 실행될 때에만 알 수 있음"))
        .help(text!(
            "verdicts that may depend on it are left undecided",
            "이것에 달려 있을 수 있는 판정은 내리지 않습니다"
        ))
}
