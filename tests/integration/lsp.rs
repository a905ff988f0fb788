//! `canreach lsp`, by a client that says what an editor would say and waits for each answer.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lsp_server::{Message, Notification, Request, RequestId};
use serde_json::{Value, json};

use crate::support::Directory;

struct Editor {
    server: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    root: String,
    requests: i32,
    /// The diagnostics of each file as they were last published, by its URI.
    diagnostics: BTreeMap<String, Vec<Value>>,
}

impl Editor {
    /// An editor whose workspace is this directory.
    fn open(root: &Path) -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_canreach"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = server.stdin.take();
        let output = BufReader::new(server.stdout.take().unwrap());
        let root = format!("file://{}", root.to_str().unwrap());
        let mut editor = Self { server, input, output, root, requests: 0, diagnostics: BTreeMap::new() };
        let folders = json!([{"uri": editor.root, "name": "lab"}]);
        let answer = editor.ask("initialize", json!({"capabilities": {}, "workspaceFolders": folders}));
        assert_eq!(answer["capabilities"]["positionEncoding"], "utf-16");
        editor.tell("initialized", json!({}));
        editor
    }

    fn send(&mut self, message: impl Into<Message>) {
        message.into().write(self.input.as_mut().unwrap()).unwrap();
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(Notification::new(method.to_owned(), params));
    }

    /// The answer to a request, as JSON.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = RequestId::from(self.requests);
        self.send(Request::new(id.clone(), method.to_owned(), params));
        loop {
            if let Message::Response(response) = self.hear()
                && response.id == id
            {
                let response = serde_json::to_value(&response).unwrap();
                return response.get("result").or(response.get("error")).cloned().unwrap_or_default();
            }
        }
    }

    fn hear(&mut self) -> Message {
        let message = Message::read(&mut self.output).unwrap().unwrap();
        if let Message::Notification(Notification { method, params }) = &message
            && method == "textDocument/publishDiagnostics"
        {
            let all = params["diagnostics"].as_array().unwrap().clone();
            self.diagnostics.insert(params["uri"].as_str().unwrap().to_owned(), all);
        }
        message
    }

    fn uri(&self, name: &str) -> String {
        format!("{}/{name}", self.root)
    }

    fn document(&self, name: &str) -> Value {
        json!({"uri": self.uri(name)})
    }

    fn opens(&mut self, name: &str, text: &str) {
        let document = json!({"uri": self.uri(name), "languageId": "yaml", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": document}));
    }

    fn types(&mut self, name: &str, text: &str) {
        let document = json!({"uri": self.uri(name), "version": 2});
        self.tell("textDocument/didChange", json!({"textDocument": document, "contentChanges": [{"text": text}]}));
    }

    /// The diagnostics of a file, which must have these codes. A request is answered after everything that was said
    /// before it has been looked at.
    fn sees(&mut self, name: &str, codes: &[&str]) -> Vec<Value> {
        self.hover(name, 0, 0);
        let all = self.diagnostics.get(&self.uri(name)).cloned().unwrap_or_default();
        let found: Vec<&str> = all.iter().map(|d| d["code"].as_str().unwrap()).collect();
        assert_eq!(found, codes, "{all:#?}");
        all
    }

    /// Waits until something is published about a file, without having asked for anything.
    fn waits(&mut self, name: &str) {
        let uri = self.uri(name);
        self.diagnostics.clear();
        while !self.diagnostics.contains_key(&uri) {
            self.hear();
        }
    }

    fn hover(&mut self, name: &str, line: u32, character: u32) -> Value {
        let params = json!({"textDocument": self.document(name), "position": {"line": line, "character": character}});
        self.ask("textDocument/hover", params)
    }

    fn actions(&mut self, name: &str, line: u32) -> Vec<Value> {
        let at = json!({"line": line, "character": 0});
        let range = json!({"start": at, "end": at});
        let params = json!({"textDocument": self.document(name), "range": range, "context": {"diagnostics": []}});
        self.ask("textDocument/codeAction", params).as_array().unwrap().clone()
    }

    fn close(mut self) {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.tell("exit", Value::Null);
        self.input = None;
        assert_eq!(self.server.wait().unwrap().code(), Some(0));
    }
}

/// The port's entry stands behind Korean text and a character of two UTF-16 units.
const COMPOSE: &str = "services:\n  web: {image: nginx, labels: {설명: \"😀\"}, ports: [\"8080:80\"]}\n";
const CLOSED: &str = "services:\n  web: {image: nginx, labels: {설명: \"😀\"}, ports: [\"127.0.0.1:8080:80\"]}\n";

fn lab() -> Directory {
    let sentences = b"sentences:\n  - lan cannot reach host:8080\n".as_slice();
    Directory::with(&[("compose.yaml", COMPOSE.as_bytes()), ("specs/a.yaml", sentences)])
}

/// The columns of the port's entry in UTF-16, counted by hand: `  web: {image: nginx, labels: {설명: "😀"}, ports: [`.
const PORT: (u32, u32) = (50, 59);

#[test]
fn what_is_typed_is_judged_before_it_is_saved() {
    let lab = lab();
    let mut editor = Editor::open(lab.path());
    editor.waits("compose.yaml");
    let found = editor.sees("compose.yaml", &["canreach::sentence::exposed"]);
    let expected = json!({"start": {"line": 1, "character": PORT.0}, "end": {"line": 1, "character": PORT.1}});
    assert_eq!(found[0]["range"], expected);
    assert_eq!(found[0]["relatedInformation"][0]["location"]["uri"], editor.uri("specs/a.yaml"));
    editor.opens("compose.yaml", COMPOSE);
    editor.types("compose.yaml", CLOSED);
    editor.waits("compose.yaml");
    editor.sees("compose.yaml", &[]);
    editor.types("compose.yaml", "services: [");
    editor.sees("compose.yaml", &["canreach::yaml::syntax"]);
    editor.tell("textDocument/didClose", json!({"textDocument": editor.document("compose.yaml")}));
    editor.sees("compose.yaml", &["canreach::sentence::exposed"]);
    editor.close();
}

#[test]
fn a_port_says_who_can_reach_it() {
    let lab = lab();
    let mut editor = Editor::open(lab.path());
    let open = editor.hover("compose.yaml", 1, PORT.0 + 2);
    let text = open["contents"]["value"].as_str().unwrap();
    assert!(text.contains("Reached through this line") && text.contains("`192.168.1.100:8080`"), "{text}");
    assert_eq!(open["range"]["start"]["character"], PORT.0);
    editor.opens("compose.yaml", CLOSED);
    let closed = editor.hover("compose.yaml", 1, PORT.0 + 2);
    let text = closed["contents"]["value"].as_str().unwrap();
    assert!(!text.contains("192.168.1.100:8080") && text.contains("host →"), "{text}");
    assert_eq!(editor.hover("compose.yaml", 0, 1), Value::Null);
    assert_eq!(editor.hover("elsewhere.yaml", 0, 1), Value::Null);
    editor.close();
}

#[test]
fn a_forward_says_who_can_reach_it() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/nat-forward-exposes-lan");
    let mut editor = Editor::open(&example);
    let forward = editor.hover("rocky.vbox", 37, 20);
    let text = forward["contents"]["value"].as_str().unwrap();
    assert!(text.contains("phone → grafana:3000 at `192.168.1.100:3000`"), "{text}");
    editor.close();
}

/// The change that is offered, made in the unsaved text, makes the sentence true.
#[test]
fn a_fix_is_offered_where_it_is_needed_and_works() {
    let lab = lab();
    let mut editor = Editor::open(lab.path());
    editor.opens("compose.yaml", COMPOSE);
    let actions = editor.actions("compose.yaml", 1);
    assert!(
        !actions.is_empty() && actions[0]["isPreferred"] == true && actions[0]["kind"] == "quickfix",
        "{actions:#?}"
    );
    let edits = &actions[0]["edit"]["changes"][editor.uri("compose.yaml")];
    let range = &edits[0]["range"];
    let line = COMPOSE.lines().nth(1).unwrap();
    let units: Vec<u16> = line.encode_utf16().collect();
    let at = |end: &str| usize::try_from(range[end]["character"].as_u64().unwrap()).unwrap();
    let part = |units: &[u16]| String::from_utf16(units).unwrap();
    let new = part(&units[..at("start")]) + edits[0]["newText"].as_str().unwrap() + &part(&units[at("end")..]);
    editor.types("compose.yaml", &format!("services:\n{new}\n"));
    editor.sees("compose.yaml", &[]);
    assert_eq!(editor.actions("compose.yaml", 0), Vec::<Value>::new());
    editor.close();
}

#[test]
fn nothing_that_an_editor_says_ends_the_server() {
    let lab = lab();
    let mut editor = Editor::open(lab.path());
    editor.tell("textDocument/didOpen", json!({"textDocument": 1}));
    editor.tell("textDocument/didChange", json!({}));
    editor.tell("$/whatever", Value::Null);
    editor.tell(
        "textDocument/didOpen",
        json!({"textDocument": {"uri": "untitled:1", "languageId": "", "version": 1, "text": ""}}),
    );
    assert_eq!(editor.ask("textDocument/definition", json!({}))["code"], -32601);
    assert_eq!(editor.ask("textDocument/hover", json!({"position": "here"}))["code"], -32602);
    for text in ["", "\u{feff}", "services: {\u{0}", "a: &a [*a, *a]", "한"] {
        editor.opens("compose.yaml", text);
        editor.hover("compose.yaml", 7, 9);
        editor.actions("compose.yaml", 4_000_000_000);
    }
    editor.types("compose.yaml", COMPOSE);
    editor.sees("compose.yaml", &["canreach::sentence::exposed"]);
    editor.close();
}
