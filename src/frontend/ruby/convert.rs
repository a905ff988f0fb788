//! Prism's tree -> ours. What we do not follow becomes [`Kind::Other`], never something similar.

use std::sync::Arc;

use ruby_prism::{
    ArgumentsNode, BlockNode, CallNode, CaseNode, ConstantId, DefNode, FullName as _, IfNode, Node, NodeList,
    ParametersNode, StatementsNode, UnlessNode,
};

use crate::source::SourceId;

use super::span;
use super::strings::Strings;
use super::tree::{Block, Call, Expr, Jump, Kind, Pair, Parameters, Target};

/// Deeper expressions are not followed.
const MAX_DEPTH: usize = 100;

/// The statements of a program.
pub(super) fn program(source: SourceId, node: &Node<'_>) -> Vec<Expr> {
    let converter = Converter { source, depth: 0 };
    node.as_program_node().map(|program| converter.statements(Some(program.statements()))).unwrap_or_default()
}

/// Turns the nodes of one text into expressions.
#[derive(Clone, Copy)]
pub(super) struct Converter {
    pub(super) source: SourceId,
    depth: usize,
}

impl Converter {
    pub(super) fn statements(self, statements: Option<StatementsNode<'_>>) -> Vec<Expr> {
        statements.map(|s| self.list(&s.body())).unwrap_or_default()
    }

    fn list(self, nodes: &NodeList<'_>) -> Vec<Expr> {
        nodes.iter().map(|node| self.expr(&node)).collect()
    }

    pub(super) fn expr(mut self, node: &Node<'_>) -> Expr {
        self.depth += 1;
        let kind = if self.depth < MAX_DEPTH { self.kind(node).unwrap_or(Kind::Other) } else { Kind::Other };
        Expr { kind, span: span(self.source, &node.location()) }
    }

    fn boxed(self, node: &Node<'_>) -> Box<Expr> {
        Box::new(self.expr(node))
    }

    fn kind(self, node: &Node<'_>) -> Option<Kind> {
        self.value(node).or_else(|| self.control(node)).or_else(|| self.assignment(node))
    }

    fn value(self, node: &Node<'_>) -> Option<Kind> {
        Some(match node {
            Node::NilNode { .. } => Kind::Nil,
            Node::TrueNode { .. } => Kind::Bool(true),
            Node::FalseNode { .. } => Kind::Bool(false),
            Node::IntegerNode { .. } => Kind::Int(integer(node)?),
            Node::StringNode { .. }
            | Node::InterpolatedStringNode { .. }
            | Node::XStringNode { .. }
            | Node::InterpolatedXStringNode { .. } => Kind::Str(Strings(self).pieces(node)?),
            Node::SymbolNode { .. } | Node::InterpolatedSymbolNode { .. } => Kind::Symbol(Strings(self).pieces(node)?),
            Node::RegularExpressionNode { .. } => Kind::Regex(text(node.as_regular_expression_node()?.unescaped())),
            Node::ArrayNode { .. } => Kind::Array(self.list(&node.as_array_node()?.elements())),
            Node::HashNode { .. } => Kind::Hash(self.pairs(&node.as_hash_node()?.elements())?),
            Node::KeywordHashNode { .. } => Kind::Keywords(self.pairs(&node.as_keyword_hash_node()?.elements())?),
            Node::RangeNode { .. } => {
                let range = node.as_range_node()?;
                Kind::Range {
                    from: self.boxed(&range.left()?),
                    to: self.boxed(&range.right()?),
                    excludes_end: range.is_exclude_end(),
                }
            }
            Node::LocalVariableReadNode { .. } => Kind::Local(name(&node.as_local_variable_read_node()?.name())),
            Node::ItLocalVariableReadNode { .. } => Kind::Local("it".to_owned()),
            Node::GlobalVariableReadNode { .. } => Kind::Global(name(&node.as_global_variable_read_node()?.name())),
            Node::InstanceVariableReadNode { .. } => Kind::Global(name(&node.as_instance_variable_read_node()?.name())),
            Node::ConstantReadNode { .. } => Kind::Constant(name(&node.as_constant_read_node()?.name())),
            Node::ConstantPathNode { .. } => Kind::Constant(text(&node.as_constant_path_node()?.full_name().ok()?)),
            Node::ImplicitNode { .. } => self.expr(&node.as_implicit_node()?.value()).kind,
            Node::SplatNode { .. } => Kind::Splat(self.boxed(&node.as_splat_node()?.expression()?)),
            Node::SourceFileNode { .. } => Kind::SourceFile,
            Node::LambdaNode { .. } => {
                let lambda = node.as_lambda_node()?;
                let (parameters, body) = (lambda.parameters(), lambda.body());
                Kind::Lambda(Arc::new(self.block_of(node, parameters.as_ref(), body.as_ref())))
            }
            _ => return None,
        })
    }

    fn control(self, node: &Node<'_>) -> Option<Kind> {
        Some(match node {
            Node::CallNode { .. } => self.call(&node.as_call_node()?),
            Node::IfNode { .. } => self.condition(&node.as_if_node()?),
            Node::UnlessNode { .. } => self.negated(&node.as_unless_node()?),
            Node::CaseNode { .. } => self.case(&node.as_case_node()?),
            Node::AndNode { .. } => {
                let and = node.as_and_node()?;
                Kind::And(self.boxed(&and.left()), self.boxed(&and.right()))
            }
            Node::OrNode { .. } => {
                let or = node.as_or_node()?;
                Kind::Or(self.boxed(&or.left()), self.boxed(&or.right()))
            }
            Node::ParenthesesNode { .. } => Kind::Sequence(self.body(node.as_parentheses_node()?.body().as_ref())),
            Node::StatementsNode { .. } => Kind::Sequence(self.statements(node.as_statements_node())),
            Node::BeginNode { .. } => {
                let begin = node.as_begin_node()?;
                let mut statements = self.statements(begin.statements());
                statements.extend(self.statements(begin.else_clause().and_then(|e| e.statements())));
                statements.extend(self.statements(begin.ensure_clause().and_then(|e| e.statements())));
                Kind::Rescued(statements, self.statements(begin.rescue_clause().and_then(|r| r.statements())))
            }
            Node::RescueModifierNode { .. } => {
                let rescue = node.as_rescue_modifier_node()?;
                Kind::Rescued(vec![self.expr(&rescue.expression())], vec![self.expr(&rescue.rescue_expression())])
            }
            Node::ModuleNode { .. } => Kind::Sequence(self.body(node.as_module_node()?.body().as_ref())),
            Node::DefNode { .. } => self.method(&node.as_def_node()?),
            Node::ReturnNode { .. } => Kind::Jump(Jump::Return, self.operand(node.as_return_node()?.arguments(), node)),
            Node::NextNode { .. } => Kind::Jump(Jump::Next, self.operand(node.as_next_node()?.arguments(), node)),
            Node::BreakNode { .. } => Kind::Jump(Jump::Break, self.operand(node.as_break_node()?.arguments(), node)),
            Node::WhileNode { .. } => Kind::Loop(self.statements(node.as_while_node()?.statements())),
            Node::UntilNode { .. } => Kind::Loop(self.statements(node.as_until_node()?.statements())),
            Node::ForNode { .. } => {
                let each = node.as_for_node()?;
                self.for_loop(&each.index(), &each.collection(), each.statements(), node)
            }
            _ => return None,
        })
    }

    /// `for a in list` is `list.each { |x| a = x; … }`: the variable is the same one in every turn.
    fn for_loop(
        self,
        index: &Node<'_>,
        list: &Node<'_>,
        statements: Option<StatementsNode<'_>>,
        node: &Node<'_>,
    ) -> Kind {
        const ELEMENT: &str = "(element)";
        let span = span(self.source, &node.location());
        let element = Expr { kind: Kind::Local(ELEMENT.to_owned()), span };
        let assign = Kind::Assign(Box::new(self.target(index)), Box::new(element));
        let mut body = vec![Expr { kind: assign, span }];
        body.extend(self.statements(statements));
        let parameters = Parameters { required: vec![Target::Local(ELEMENT.to_owned())], ..Parameters::default() };
        let nothing = Expr { kind: Kind::Nil, span };
        let declared = Kind::Assign(Box::new(self.target(index)), Box::new(nothing));
        let each = Kind::Call(Box::new(Call {
            receiver: Some(self.expr(list)),
            name: "each".to_owned(),
            arguments: Vec::new(),
            block: Some(Arc::new(Block { parameters, body, span })),
            passed_block: None,
            is_safe: false,
        }));
        Kind::Sequence(vec![Expr { kind: declared, span }, Expr { kind: each, span }])
    }

    fn assignment(self, node: &Node<'_>) -> Option<Kind> {
        let (target, operator, value) = self.written(node)?;
        let (target, value) = (Box::new(target), self.boxed(&value));
        Some(match operator {
            Some(operator) => Kind::Update(target, operator, value),
            None => Kind::Assign(target, value),
        })
    }

    /// The target, the operator of `+=`, and the value of an assignment.
    fn written<'p>(self, node: &Node<'p>) -> Option<(Target, Option<String>, Node<'p>)> {
        let or = || Some("||".to_owned());
        let and = || Some("&&".to_owned());
        macro_rules! named {
            ($target:ident, $node:expr, $operator:expr) => {{
                let node = $node?;
                Some((Target::$target(name(&node.name())), $operator(&node), node.value()))
            }};
        }
        match node {
            Node::LocalVariableWriteNode { .. } => named!(Local, node.as_local_variable_write_node(), |_| None),
            Node::LocalVariableOrWriteNode { .. } => named!(Local, node.as_local_variable_or_write_node(), |_| or()),
            Node::LocalVariableAndWriteNode { .. } => named!(Local, node.as_local_variable_and_write_node(), |_| and()),
            Node::LocalVariableOperatorWriteNode { .. } => {
                let write = node.as_local_variable_operator_write_node()?;
                Some((Target::Local(name(&write.name())), Some(name(&write.binary_operator())), write.value()))
            }
            Node::GlobalVariableWriteNode { .. } => named!(Global, node.as_global_variable_write_node(), |_| None),
            Node::GlobalVariableOrWriteNode { .. } => named!(Global, node.as_global_variable_or_write_node(), |_| or()),
            Node::GlobalVariableOperatorWriteNode { .. } => {
                let write = node.as_global_variable_operator_write_node()?;
                Some((Target::Global(name(&write.name())), Some(name(&write.binary_operator())), write.value()))
            }
            Node::InstanceVariableWriteNode { .. } => named!(Global, node.as_instance_variable_write_node(), |_| None),
            Node::ConstantWriteNode { .. } => named!(Constant, node.as_constant_write_node(), |_| None),
            Node::ConstantOrWriteNode { .. } => named!(Constant, node.as_constant_or_write_node(), |_| or()),
            Node::IndexOrWriteNode { .. } => {
                let write = node.as_index_or_write_node()?;
                Some((self.index(write.receiver(), write.arguments()), or(), write.value()))
            }
            Node::IndexOperatorWriteNode { .. } => {
                let write = node.as_index_operator_write_node()?;
                let operator = Some(name(&write.binary_operator()));
                Some((self.index(write.receiver(), write.arguments()), operator, write.value()))
            }
            Node::MultiWriteNode { .. } => {
                let write = node.as_multi_write_node()?;
                let is_plain = write.rest().is_none() && write.rights().is_empty();
                let targets = write.lefts().iter().map(|left| self.target(&left)).collect();
                let target = if is_plain { Target::Several(targets) } else { Target::Other };
                Some((target, None, write.value()))
            }
            _ => None,
        }
    }

    fn index(self, receiver: Option<Node<'_>>, arguments: Option<ArgumentsNode<'_>>) -> Target {
        receiver.map_or(Target::Other, |r| Target::Index(self.expr(&r), self.arguments(arguments)))
    }

    fn target(self, node: &Node<'_>) -> Target {
        let target = match node {
            Node::LocalVariableTargetNode { .. } => {
                node.as_local_variable_target_node().map(|t| Target::Local(name(&t.name())))
            }
            Node::GlobalVariableTargetNode { .. } => {
                node.as_global_variable_target_node().map(|t| Target::Global(name(&t.name())))
            }
            Node::RequiredParameterNode { .. } => {
                node.as_required_parameter_node().map(|t| Target::Local(name(&t.name())))
            }
            Node::MultiTargetNode { .. } => node
                .as_multi_target_node()
                .filter(|t| t.rest().is_none() && t.rights().is_empty() && self.depth < MAX_DEPTH)
                .map(|t| Target::Several(t.lefts().iter().map(|left| self.deeper().target(&left)).collect())),
            _ => None,
        };
        target.unwrap_or(Target::Other)
    }

    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    fn pairs(self, nodes: &NodeList<'_>) -> Option<Vec<Pair>> {
        let pair = |node: Node<'_>| match node {
            Node::AssocNode { .. } => {
                let pair = node.as_assoc_node()?;
                Some(Pair::Entry(self.expr(&pair.key()), self.expr(&pair.value())))
            }
            Node::AssocSplatNode { .. } => Some(Pair::Splat(self.expr(&node.as_assoc_splat_node()?.value()?))),
            _ => None,
        };
        nodes.iter().map(pair).collect()
    }

    fn arguments(self, arguments: Option<ArgumentsNode<'_>>) -> Vec<Expr> {
        arguments.map(|a| self.list(&a.arguments())).unwrap_or_default()
    }

    fn call(self, node: &CallNode<'_>) -> Kind {
        let mut arguments = self.arguments(node.arguments());
        let called = name(&node.name());
        if node.is_attribute_write()
            && let (Some(receiver), Some(value)) = (node.receiver(), arguments.pop())
        {
            let receiver = self.expr(&receiver);
            let target = match called.trim_end_matches('=') {
                "[]" => Target::Index(receiver, arguments),
                attribute => Target::Attribute(receiver, attribute.to_owned(), span(self.source, &node.location())),
            };
            return Kind::Assign(Box::new(target), Box::new(value));
        }
        let block = node.block();
        let passed = block.as_ref().and_then(Node::as_block_argument_node);
        Kind::Call(Box::new(Call {
            receiver: node.receiver().map(|r| self.expr(&r)),
            name: called,
            arguments,
            block: block.as_ref().and_then(Node::as_block_node).map(|b| Arc::new(self.block(&b))),
            passed_block: passed.and_then(|p| p.expression()).map(|e| self.expr(&e)),
            is_safe: node.is_safe_navigation(),
        }))
    }

    fn block(self, node: &BlockNode<'_>) -> Block {
        self.block_of(&node.as_node(), node.parameters().as_ref(), node.body().as_ref())
    }

    fn block_of(self, node: &Node<'_>, parameters: Option<&Node<'_>>, body: Option<&Node<'_>>) -> Block {
        let local = |name: &str| Target::Local(name.to_owned());
        let parameters = match parameters {
            Some(Node::ItParametersNode { .. }) => Parameters { required: vec![local("it")], ..Parameters::default() },
            Some(numbered @ Node::NumberedParametersNode { .. }) => {
                let maximum = numbered.as_numbered_parameters_node().map_or(0, |n| n.maximum());
                let required = (1..=maximum).map(|n| local(&format!("_{n}"))).collect();
                Parameters { required, ..Parameters::default() }
            }
            Some(written) => {
                let inside = written.as_block_parameters_node().and_then(|p| p.parameters());
                inside.map(|p| self.parameters(&p)).unwrap_or_default()
            }
            None => Parameters::default(),
        };
        Block { parameters, body: self.body(body), span: span(self.source, &node.location()) }
    }

    fn parameters(self, node: &ParametersNode<'_>) -> Parameters {
        let optional = |node: Node<'_>| {
            let node = node.as_optional_parameter_node()?;
            Some((name(&node.name()), self.expr(&node.value())))
        };
        let keyword = |node: Node<'_>| match node {
            Node::RequiredKeywordParameterNode { .. } => {
                Some((name(&node.as_required_keyword_parameter_node()?.name()), None))
            }
            _ => {
                let node = node.as_optional_keyword_parameter_node()?;
                Some((name(&node.name()), Some(self.expr(&node.value()))))
            }
        };
        let rest = node.rest().and_then(|r| r.as_rest_parameter_node()?.name().map(|n| name(&n)));
        let options = node.keyword_rest().and_then(|r| r.as_keyword_rest_parameter_node()?.name().map(|n| name(&n)));
        Parameters {
            required: node.requireds().iter().map(|p| self.target(&p)).collect(),
            optional: node.optionals().iter().filter_map(optional).collect(),
            rest,
            keywords: node.keywords().iter().filter_map(keyword).collect(),
            keyword_rest: options,
        }
    }

    fn body(self, node: Option<&Node<'_>>) -> Vec<Expr> {
        match node {
            Some(node) => match node.as_statements_node() {
                Some(statements) => self.statements(Some(statements)),
                None => vec![self.expr(node)],
            },
            None => Vec::new(),
        }
    }

    fn method(self, node: &DefNode<'_>) -> Kind {
        let parameters = node.parameters().map(|p| self.parameters(&p)).unwrap_or_default();
        let body = self.body(node.body().as_ref());
        let block = Block { parameters, body, span: span(self.source, &node.location()) };
        Kind::Def(name(&node.name()), Arc::new(block))
    }

    fn operand(self, arguments: Option<ArgumentsNode<'_>>, node: &Node<'_>) -> Box<Expr> {
        let span = span(self.source, &node.location());
        let mut values = self.arguments(arguments);
        let kind = match values.pop() {
            Some(only) if values.is_empty() => return Box::new(only),
            Some(last) => Kind::Array(values.into_iter().chain([last]).collect()),
            None => Kind::Nil,
        };
        Box::new(Expr { kind, span })
    }

    fn condition(self, node: &IfNode<'_>) -> Kind {
        let no = match node.subsequent() {
            Some(other) => match other.as_else_node() {
                Some(otherwise) => self.statements(otherwise.statements()),
                None => vec![self.expr(&other)],
            },
            None => Vec::new(),
        };
        Kind::If { condition: self.boxed(&node.predicate()), yes: self.statements(node.statements()), no }
    }

    fn negated(self, node: &UnlessNode<'_>) -> Kind {
        let yes = self.statements(node.else_clause().and_then(|e| e.statements()));
        Kind::If { condition: self.boxed(&node.predicate()), yes, no: self.statements(node.statements()) }
    }

    fn case(self, node: &CaseNode<'_>) -> Kind {
        let arm = |node: Node<'_>| {
            let when = node.as_when_node()?;
            Some((self.list(&when.conditions()), self.statements(when.statements())))
        };
        Kind::Case {
            subject: node.predicate().map(|p| self.boxed(&p)),
            arms: node.conditions().iter().filter_map(arm).collect(),
            otherwise: self.statements(node.else_clause().and_then(|e| e.statements())),
        }
    }
}

fn integer(node: &Node<'_>) -> Option<i64> {
    let value = node.as_integer_node()?.value();
    let (is_negative, digits) = value.to_u32_digits();
    let [only] = digits else { return None };
    Some(if is_negative { -i64::from(*only) } else { i64::from(*only) })
}

fn name(id: &ConstantId<'_>) -> String {
    text(id.as_slice())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
