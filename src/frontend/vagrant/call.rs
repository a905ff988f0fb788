//! Method calls: those on configuration objects are recorded, methods of the file are run, and the rest is looked up
//! among what Ruby and Vagrant provide.

use std::rc::Rc;
use std::sync::Arc;

use crate::frontend::ruby::tree::{Block, Call as Written, Expr, Kind, Pair, Parameters, Piece, Target};
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

use super::builtin;
use super::eval::{Defined, Evaluator, Outcome, Stop};
use super::record::{Argument, Call, Config};
use super::value::{Closure, Scope, Value};

impl Evaluator<'_> {
    pub(super) fn call(&mut self, call: &Written, span: Span, scope: &Scope) -> Outcome {
        let receiver = call.receiver.as_ref().map(|r| self.expr(r, scope)).transpose()?;
        if call.is_safe && matches!(receiver, Some(Value::Nil)) {
            return Ok(Value::Nil);
        }
        if let Some(Value::Config(config)) = &receiver
            && call.name != "tap"
        {
            return self.configure(config, call, span, scope);
        }
        let arguments = self.items(&call.arguments, scope)?;
        let block = self.block_of(call, scope)?;
        let Some(arguments) = arguments else {
            if let Some(block) = block {
                self.doubtful(
                    ["in a block whose arguments are not known", "인자를 알 수 없는 블록 안"],
                    |e| e.run(&block, Vec::new()),
                )?;
            }
            return Ok(Value::Unknown);
        };
        let values: Vec<Value> = arguments.iter().map(|a| a.value.clone()).collect();
        match receiver {
            None => self.function(call, &values, block, span, scope),
            Some(Value::Module(module)) => self.module_method(&module, call, &values, block, span),
            Some(receiver) => {
                if call.name == "<<" || call.name == "concat" {
                    self.append(call, &receiver, &values, span, scope)?;
                }
                self.value_method(&receiver, enumerator(call), &values, block, span)
            }
        }
    }

    fn block_of(&mut self, call: &Written, scope: &Scope) -> Result<Option<Rc<Closure>>, Stop> {
        if let Some(block) = &call.block {
            return Ok(Some(Rc::new(Closure { block: Arc::clone(block), scope: scope.clone() })));
        }
        let passed = call.passed_block.as_ref().map(|passed| self.expr(passed, scope)).transpose()?;
        Ok(match passed {
            Some(Value::Lambda(closure)) => Some(closure),
            Some(Value::Symbol(method)) => call.passed_block.as_ref().map(|p| symbol_block(&method, p.span)),
            _ => None,
        })
    }

    /// `text << more` changes the text that a variable holds.
    fn append(
        &mut self,
        call: &Written,
        receiver: &Value,
        values: &[Value],
        span: Span,
        scope: &Scope,
    ) -> Result<(), Stop> {
        let Value::Str(_) = receiver else { return Ok(()) };
        let target = match call.receiver.as_ref().map(|r| &r.kind) {
            Some(Kind::Local(name)) => Target::Local(name.clone()),
            Some(Kind::Global(name)) => Target::Global(name.clone()),
            Some(Kind::Constant(name)) => Target::Constant(name.clone()),
            _ => return Ok(()),
        };
        let longer = builtin::method(receiver, "+", values, span).unwrap_or(Value::Unknown);
        self.assign(&target, longer, span, scope)
    }

    /// A call on a configuration object.
    fn configure(&mut self, config: &Rc<Config>, call: &Written, span: Span, scope: &Scope) -> Outcome {
        let is_reader = call.arguments.is_empty() && call.block.is_none() && call.passed_block.is_none();
        if is_reader {
            let path = config.method(&call.name);
            return Ok(Value::Config(Rc::new(Config { path, calls: Rc::clone(&config.calls) })));
        }
        let (written, keywords) = match call.arguments.split_last() {
            Some((last, others)) if matches!(last.kind, Kind::Keywords(_)) => (others, Some(last)),
            _ => (call.arguments.as_slice(), None),
        };
        let arguments = self.items(written, scope)?;
        let options = keywords.map(|keywords| self.options(keywords, scope)).transpose()?;
        let block = self.block_of(call, scope)?;
        let (Some(mut arguments), Some(options)) = (arguments, options.unwrap_or_else(|| Some(Vec::new()))) else {
            return Ok(self.not_followed(
                span,
                text!(
                    "`{method}` with arguments that are not known",
                    "인자를 알 수 없는 `{method}`",
                    method = &config.method(&call.name)
                ),
            ));
        };
        let mut name = call.name.clone();
        if matches!(name.as_str(), "send" | "public_send" | "__send__") {
            match arguments.first().and_then(|a| a.value.name()).map(str::to_owned) {
                Some(method) => {
                    arguments.remove(0);
                    name = method;
                }
                None => {
                    return Ok(
                        self.not_followed(span, text!("a setting whose name is not known", "이름을 알 수 없는 설정"))
                    );
                }
            }
        }
        let method = config.method(&name);
        let call = Call { method, arguments, options, inside: Rc::default(), late: None, span, doubt: self.doubt };
        self.recorded(config, call, block)
    }

    /// Keyword arguments with the places of their values.
    fn options(&mut self, keywords: &Expr, scope: &Scope) -> Result<Option<Vec<(String, Argument)>>, Stop> {
        let Value::Hash(pairs) = self.expr(keywords, scope)? else { return Ok(None) };
        let places = places(keywords);
        let option = |(key, value): &(Value, Value)| {
            let key = key.name()?.to_owned();
            let span = places.iter().rev().find(|(name, _)| *name == key).map_or(keywords.span, |(_, span)| *span);
            Some((key, Argument { value: value.clone(), span }))
        };
        let options = pairs.borrow().iter().map(option).collect();
        Ok(options)
    }

    /// Keeps a call, and runs its block with the object that Vagrant would give it, when Vagrant would.
    fn recorded(&mut self, config: &Rc<Config>, mut call: Call, block: Option<Rc<Closure>>) -> Outcome {
        match (call.method.as_str(), block) {
            ("vm.define", block) => return Ok(self.define(&call, block)),
            ("vm.provider", block) => call.late = block,
            (_, Some(block)) => {
                let inside = Value::Config(Rc::new(Config { path: String::new(), calls: Rc::clone(&call.inside) }));
                config.calls.borrow_mut().push(call);
                return self.run(&block, vec![inside.clone(), inside]);
            }
            (_, None) => {}
        }
        config.calls.borrow_mut().push(call);
        Ok(Value::Nil)
    }

    fn define(&mut self, call: &Call, block: Option<Rc<Closure>>) -> Value {
        let first = call.arguments.first();
        let (Some(argument), Some(name)) = (first, call.first_name().map(str::to_owned)) else {
            return self.not_followed(call.span, text!("a machine whose name is not known", "이름을 알 수 없는 머신"));
        };
        if let Some([doubt, korean]) = call.doubt {
            return self.not_followed(
                call.span,
                text!("the machine `{name}`, which is there {doubt}", "있을지 알 수 없는 머신 `{name}` ({korean})"),
            );
        }
        if !self.defined.iter().any(|d| d.name.value == name) {
            let name = Spanned::new(name.clone(), argument.span);
            self.defined.push(Defined { name, blocks: Vec::new() });
        }
        let defined = self.defined.iter_mut().find(|d| d.name.value == name);
        if let Some(defined) = defined {
            defined.blocks.extend(block);
        }
        Value::Nil
    }

    /// A call without a receiver: a method of the file, or one that Ruby has everywhere.
    fn function(
        &mut self,
        call: &Written,
        values: &[Value],
        block: Option<Rc<Closure>>,
        span: Span,
        scope: &Scope,
    ) -> Outcome {
        if let Some(method) = self.methods.get(&call.name).cloned() {
            return match block {
                Some(_) => Ok(self.not_followed(span, with_block(&call.name))),
                None => self.invoke(&method, values.to_vec()),
            };
        }
        Ok(match (call.name.as_str(), values) {
            ("raise" | "abort" | "exit" | "exit!" | "fail", _) => {
                if self.doubt.is_none() {
                    self.not_followed(span, file_ends());
                }
                return Err(Stop::End);
            }
            ("require_relative" | "load" | "require", [file]) => {
                let file = file.name().map(str::to_owned);
                self.load(file.as_deref(), &call.name, span)
            }
            ("lambda" | "proc", _) => block.map_or(Value::Unknown, Value::Lambda),
            ("format" | "sprintf", [format, values @ ..]) => builtin::format(format, values, span),
            ("Integer", [value]) => builtin::method(value, "to_i", &[], span).unwrap_or(Value::Unknown),
            ("String", [value]) => builtin::method(value, "to_s", &[], span).unwrap_or(Value::Unknown),
            ("Array", [value]) => builtin::as_list(value),
            ("__dir__", []) => {
                builtin::string(self.file.rsplit_once('/').map_or(".", |(directory, _)| directory), span)
            }
            ("puts" | "print" | "p" | "warn" | "pp", _) => Value::Nil,
            ("binding" | "self", []) => Value::Unknown,
            ("eval" | "instance_eval", _) => {
                self.not_followed(span, text!("a program that is put together", "조립해서 실행하는 프로그램"))
            }
            ("loop", _) => {
                if let Some(block) = block {
                    self.doubtful(["in a loop", "반복문 안"], |e| e.run(&block, Vec::new()))?;
                }
                Value::Unknown
            }
            _ => {
                if let Some(block) = block {
                    self.doubtful(UNKNOWN_METHOD, |e| e.run(&block, Vec::new()))?;
                }
                // A method may change what the objects hold that it is given.
                if values.iter().any(|value| matches!(value, Value::Config(_))) {
                    self.not_followed(span, not_defined(&call.name));
                }
                let _ = scope;
                Value::Unknown
            }
        })
    }

    /// A method of a value that is no configuration object.
    fn value_method(
        &mut self,
        receiver: &Value,
        name: &str,
        values: &[Value],
        block: Option<Rc<Closure>>,
        span: Span,
    ) -> Outcome {
        match (receiver, block) {
            (Value::Lambda(closure), None) if matches!(name, "call" | "()" | "yield" | "[]") => {
                let closure = Rc::clone(closure);
                match self.run(&closure, values.to_vec()) {
                    Err(Stop::Jump(_, value)) => Ok(value),
                    other => other,
                }
            }
            (_, Some(block)) => self.iterate(receiver, name, values, &block),
            (_, None) => {
                let value = builtin::method(receiver, name, values, span);
                if value.is_none() && values.iter().any(|value| matches!(value, Value::Config(_))) {
                    self.not_followed(
                        span,
                        text!("`{name}` of something that is not known", "알 수 없는 것의 `{name}`"),
                    );
                }
                Ok(value.unwrap_or(Value::Unknown))
            }
        }
    }
}

/// `list.map.with_index` maps, `list.each.with_index` does not.
fn enumerator(call: &Written) -> &str {
    let is_mapped = |receiver: &Expr| match &receiver.kind {
        Kind::Call(of) => matches!(of.name.as_str(), "map" | "collect") && of.block.is_none(),
        _ => false,
    };
    let counts = matches!(call.name.as_str(), "with_index" | "each_with_index");
    if counts && call.receiver.as_ref().is_some_and(is_mapped) { "map_with_index" } else { &call.name }
}

/// Keys of a literal hash with the places of their values.
fn places(keywords: &Expr) -> Vec<(String, Span)> {
    let Kind::Keywords(pairs) = &keywords.kind else { return Vec::new() };
    let place = |pair: &Pair| {
        let Pair::Entry(key, value) = pair else { return None };
        let (Kind::Symbol(pieces) | Kind::Str(pieces)) = &key.kind else { return None };
        let text = pieces.iter().map(|piece| match piece {
            Piece::Literal(text, _) | Piece::Escaped(text, _) => Some(text.as_str()),
            Piece::Code(..) => None,
        });
        Some((text.collect::<Option<String>>()?, value.span))
    };
    pairs.iter().filter_map(place).collect()
}

/// `&:name` is a block that calls the method of that name.
fn symbol_block(method: &str, span: Span) -> Rc<Closure> {
    let element = "(element)".to_owned();
    let receiver = Expr { kind: Kind::Local(element.clone()), span };
    let call = Written {
        receiver: Some(receiver),
        name: method.to_owned(),
        arguments: Vec::new(),
        block: None,
        passed_block: None,
        is_safe: false,
    };
    let parameters = Parameters { required: vec![Target::Local(element)], ..Parameters::default() };
    let body = vec![Expr { kind: Kind::Call(Box::new(call)), span }];
    Rc::new(Closure { block: Arc::new(Block { parameters, body, span }), scope: Scope::default() })
}

const UNKNOWN_METHOD: [&str; 2] = ["in a block of a method that is not known", "알 수 없는 메서드의 블록 안"];

fn with_block(name: &str) -> Text {
    text!("`{name}` with a block", "블록을 받는 `{name}`")
}

fn file_ends() -> Text {
    text!("everything else: the file ends here", "나머지 모두: 파일이 여기서 끝남")
}

fn not_defined(name: &str) -> Text {
    text!("`{name}`, which is not defined in this file", "이 파일에 정의되지 않은 `{name}`")
}
