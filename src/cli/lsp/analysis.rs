//! What is known about a lab with some texts in place of those on disk.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::slice;

use lsp_types::{CodeAction, Diagnostic, Hover, Position, Range, Uri};

use crate::check::{self, Exposure};
use crate::lab::Lab;
use crate::report::Section;
use crate::report::editor::{self, Told};

use super::super::args::Format;
use super::super::load::Replacements;
use super::super::{check as checking, fix, lint, model, terminal};

/// How the editor names a file.
type UriOf<'a> = &'a dyn Fn(&Path) -> Option<Uri>;

/// A lab, analyzed.
pub(super) struct Analysis {
    root: PathBuf,
    texts: Replacements,
    files: BTreeMap<String, PathBuf>,
    lab: Lab,
    section: Section,
    /// Is made when somebody asks for it.
    exposure: OnceCell<Option<Exposure>>,
}

impl Analysis {
    /// Nothing if there is nothing to read, or if this program has a bug: an editor must not lose its server.
    pub(super) fn of(root: &Path, texts: Replacements) -> Option<Self> {
        unbroken(|| Self::made(root, texts)).flatten()
    }

    fn made(root: &Path, texts: Replacements) -> Option<Self> {
        let model = model::build_with(slice::from_ref(&root.to_owned()), &texts)?;
        let (files, lab) = (model.files.clone(), model.lab.clone());
        let found = lint::diagnostics(&model);
        let sentences = lab.sentences.clone();
        let section = checking::judged(model, found, &sentences, (false, Format::Human), &[])
            .map_err(|error| terminal::complain_of_bug(error.to_string()))
            .ok()?;
        Some(Self { root: root.to_owned(), texts, files, lab, section, exposure: OnceCell::new() })
    }

    /// The diagnostics of every file that has some.
    pub(super) fn diagnostics(&self, uri_of: UriOf<'_>) -> Vec<(Uri, Vec<Diagnostic>)> {
        let uri_of = |name: &str| self.uri_of(name, uri_of);
        let by_name = editor::diagnostics(&self.section, &uri_of, terminal::language());
        by_name.into_iter().filter_map(|(name, diagnostics)| Some((uri_of(&name)?, diagnostics))).collect()
    }

    pub(super) fn hover(&self, path: &Path, at: Position) -> Option<Hover> {
        let Section { report, sources, .. } = &self.section;
        let exposure =
            self.exposure.get_or_init(|| unbroken(|| check::exposure(&self.lab, &report.dataplane).ok()).flatten());
        let told = Told { exposure: exposure.as_ref()?, dataplane: &report.dataplane, language: terminal::language() };
        editor::hover(told, sources, (self.name_of(path)?, at))
    }

    /// The ways out of what is wrong in these lines, each tried.
    pub(super) fn actions(&self, path: &Path, range: Range, uri_of: UriOf<'_>) -> Vec<CodeAction> {
        let Some(name) = self.name_of(path) else { return Vec::new() };
        let uri_of = |name: &str| self.uri_of(name, uri_of);
        let mut actions = Vec::new();
        for sentence in editor::sentences_at(&self.section, name, range) {
            let fixes = unbroken(|| fix::working(&self.root, &self.texts, &sentence).unwrap_or_default());
            for (index, fix) in fixes.unwrap_or_default().iter().enumerate() {
                actions.extend(editor::action(&self.section.sources, (fix, index == 0), &uri_of, terminal::language()));
            }
        }
        actions
    }

    fn uri_of(&self, name: &str, uri_of: UriOf<'_>) -> Option<Uri> {
        self.files.get(name).and_then(|path| uri_of(path))
    }

    fn name_of(&self, path: &Path) -> Option<&str> {
        self.files.iter().find(|(_, file)| *file == path).map(|(name, _)| name.as_str())
    }
}

/// What a bug of this program breaks is not there; everything else goes on.
fn unbroken<T>(work: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).ok()
}
