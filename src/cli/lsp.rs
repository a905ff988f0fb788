//! `canreach lsp`: a language server over standard input and output.
//!
//! The lab is the workspace's first folder, read as `check` reads it, with what is typed and not saved in place of the
//! files. Nothing is incremental: a pause in typing starts the whole analysis again.

mod analysis;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::{
    CodeActionParams, DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, HoverParams,
    PublishDiagnosticsParams, Uri,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::language::text;
use crate::report::uri;

use super::load::Replacements;
use super::{Exit, terminal};

use analysis::Analysis;

/// Whoever types is not interrupted.
const PAUSE: Duration = Duration::from_millis(200);

/// What goes wrong with the connection itself.
type Broken = Box<dyn Error + Send + Sync>;

pub(super) fn run() -> Exit {
    let (connection, threads) = Connection::stdio();
    let served = serve(&connection);
    // The threads end when nobody can send any more.
    drop(connection);
    match served.and_then(|()| Ok(threads.join()?)) {
        Ok(()) => Exit::Holds,
        Err(error) => {
            terminal::complain(text!(
                "the connection to the editor broke: {error}",
                "편집기와의 연결이 끊어졌습니다: {error}"
            ));
            Exit::Unusable
        }
    }
}

fn serve(connection: &Connection) -> Result<(), Broken> {
    let (id, params) = connection.initialize_start()?;
    connection.initialize_finish(id, capabilities())?;
    let mut server = Server::new(connection, root(&params));
    while let Some(message) = server.next() {
        match message {
            Message::Request(request) if connection.handle_shutdown(&request)? => break,
            Message::Request(request) => server.answer(request)?,
            Message::Notification(notification) => server.hear(notification),
            Message::Response(_) => {}
        }
    }
    Ok(())
}

/// Documents are sent whole; columns are units of UTF-16, which every editor has to know.
fn capabilities() -> Value {
    json!({
        "capabilities": {
            "positionEncoding": "utf-16",
            "textDocumentSync": {"openClose": true, "change": 1, "save": true},
            "hoverProvider": true,
            "codeActionProvider": {"codeActionKinds": ["quickfix"]},
        },
        "serverInfo": {"name": "canreach", "version": env!("CARGO_PKG_VERSION")},
    })
}

/// The first folder of the workspace; without one, the working directory.
fn root(params: &Value) -> PathBuf {
    let places = ["/workspaceFolders/0/uri", "/rootUri"];
    let uri = places.iter().find_map(|place| params.pointer(place).and_then(Value::as_str));
    uri.and_then(uri::path_of).map_or_else(|| PathBuf::from("."), PathBuf::from)
}

struct Server<'a> {
    connection: &'a Connection,
    root: PathBuf,
    /// Documents that are open, by their path: the editor's name for each, and its text.
    open: BTreeMap<PathBuf, (Uri, String)>,
    /// When the analysis is to be made again; nothing if it is up to date.
    due: Option<Instant>,
    analysis: Option<Analysis>,
    /// The URIs of the files that were last shown with diagnostics.
    shown: BTreeSet<String>,
}

impl<'a> Server<'a> {
    fn new(connection: &'a Connection, root: PathBuf) -> Self {
        let due = Some(Instant::now());
        Self { connection, root, open: BTreeMap::new(), due, analysis: None, shown: BTreeSet::new() }
    }

    /// The next message; in a pause, the analysis is brought up to date. Nothing when the editor is gone.
    fn next(&mut self) -> Option<Message> {
        loop {
            let Some(due) = self.due else { return self.connection.receiver.recv().ok() };
            match self.connection.receiver.recv_deadline(due) {
                Ok(message) => return Some(message),
                Err(error) if error.is_timeout() => self.refresh(),
                Err(_) => return None,
            }
        }
    }

    fn hear(&mut self, Notification { method, params }: Notification) {
        match method.as_str() {
            "textDocument/didOpen" => {
                if let Some(DidOpenTextDocumentParams { text_document: document }) = read(params) {
                    self.keep(document.uri, document.text);
                }
            }
            "textDocument/didChange" => {
                if let Some(DidChangeTextDocumentParams { text_document, content_changes }) = read(params)
                    && let Some(change) = content_changes.into_iter().next_back()
                {
                    self.keep(text_document.uri, change.text);
                }
            }
            "textDocument/didClose" => {
                if let Some(DidCloseTextDocumentParams { text_document }) = read(params)
                    && let Some(path) = path_of(&text_document.uri)
                {
                    self.open.remove(&path);
                }
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {}
            _ => return,
        }
        self.due = Some(Instant::now() + PAUSE);
    }

    fn keep(&mut self, uri: Uri, text: String) {
        if let Some(path) = path_of(&uri) {
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            self.open.insert(path, (uri, text));
        }
    }

    fn answer(&mut self, Request { id, method, params }: Request) -> Result<(), Broken> {
        // Whoever asks wants to know about what stands there now.
        if self.due.is_some() {
            self.refresh();
        }
        let response = match method.as_str() {
            "textDocument/hover" => self.respond(id, params, Self::hover),
            "textDocument/codeAction" => self.respond(id, params, Self::actions),
            _ => Response::new_err(id, ErrorCode::MethodNotFound as i32, format!("`{method}` is not known here")),
        };
        self.send(response)
    }

    fn respond<P: DeserializeOwned, R: Serialize>(
        &self,
        id: RequestId,
        params: Value,
        answer: fn(&Self, &P) -> R,
    ) -> Response {
        match serde_json::from_value(params) {
            Ok(params) => Response::new_ok(id, answer(self, &params)),
            Err(error) => Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string()),
        }
    }

    fn hover(&self, params: &HoverParams) -> Option<lsp_types::Hover> {
        let at = &params.text_document_position_params;
        self.analysis.as_ref()?.hover(&path_of(&at.text_document.uri)?, at.position)
    }

    fn actions(&self, params: &CodeActionParams) -> Vec<lsp_types::CodeAction> {
        let (Some(analysis), Some(path)) = (&self.analysis, path_of(&params.text_document.uri)) else {
            return Vec::new();
        };
        analysis.actions(&path, params.range, &|path| self.uri_of(path))
    }

    /// Analyzes what stands there now, and tells the editor.
    fn refresh(&mut self) {
        self.due = None;
        self.analysis = Analysis::of(&self.root, self.replacements());
        let mut found = match &self.analysis {
            Some(analysis) => analysis.diagnostics(&|path| self.uri_of(path)),
            None => Vec::new(),
        };
        let now: BTreeSet<String> = found.iter().map(|(uri, _)| uri.as_str().to_owned()).collect();
        let gone = self.shown.difference(&now).filter_map(|uri| uri.parse().ok());
        found.extend(gone.map(|uri| (uri, Vec::new())));
        for (uri, diagnostics) in found {
            let params = PublishDiagnosticsParams { uri, diagnostics, version: None };
            // An editor that is gone is noticed by `next`.
            let _ = self.send(Notification::new("textDocument/publishDiagnostics".to_owned(), params));
        }
        self.shown = now;
    }

    /// The texts of open documents below the root, by the names that files have there.
    fn replacements(&self) -> Replacements {
        let name = |path: &Path| {
            let inside = path.strip_prefix(&self.root).ok()?;
            Some(inside.to_string_lossy().replace('\\', "/"))
        };
        self.open.iter().filter_map(|(path, (_, text))| Some((name(path)?, text.clone()))).collect()
    }

    /// The editor's own name for a file if it has it open: two spellings would be two files.
    fn uri_of(&self, path: &Path) -> Option<Uri> {
        match self.open.get(path) {
            Some((uri, _)) => Some(uri.clone()),
            None => uri::of_path(&path.to_string_lossy().replace('\\', "/")).parse().ok(),
        }
    }

    fn send(&self, message: impl Into<Message>) -> Result<(), Broken> {
        Ok(self.connection.sender.send(message.into())?)
    }
}

/// What cannot be read is for another version of the protocol, and of no use.
fn read<P: DeserializeOwned>(params: Value) -> Option<P> {
    serde_json::from_value(params).ok()
}

fn path_of(uri: &Uri) -> Option<PathBuf> {
    uri::path_of(uri.as_str()).map(PathBuf::from)
}
