//! What containers take from files that their statement names: variables of `--env-file`, and addresses to dial in
//! mounted configuration.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::frontend::{Open, beside};
use crate::lab::Declaration;
use crate::lab::declaration::ContainerDecl;
use crate::language::text;
use crate::source::Spanned;

use super::compose::env_file;
use super::config_file;

/// Completes containers. Paths that they name start from one of `directories`, whichever has the file.
pub fn read(declarations: &mut [Declaration], directories: &[&str], open: Open<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for declaration in declarations {
        if let Declaration::Container(container) = declaration {
            diagnostics.extend(variables(container, directories, open));
            container.dials = config_file::dials(container, directories, open);
        }
    }
    diagnostics
}

/// A later file goes before an earlier one, `--env` before all.
fn variables(container: &mut ContainerDecl, directories: &[&str], open: Open<'_>) -> Vec<Diagnostic> {
    let mut missing = Vec::new();
    let mut named: BTreeSet<String> = container.environment.iter().map(|(name, _)| name.clone()).collect();
    for path in std::mem::take(&mut container.env_files).iter().rev() {
        let Some(file) = directories.iter().find_map(|directory| open(&beside(directory, &path.value)?)) else {
            missing.push(not_found(path));
            continue;
        };
        let read = env_file::parse_raw(file.source, &file.text);
        let new = read.into_iter().filter(|(name, _)| named.insert(name.clone())).collect::<Vec<_>>();
        container.environment.splice(0..0, new);
    }
    missing
}

/// Secrets are seldom kept with the other files, so this is no error.
fn not_found(path: &Spanned<String>) -> Diagnostic {
    let message = text!("there is no file `{path}`", "`{path}` 파일이 없습니다", path = &path.value);
    let label =
        text!("docker refuses to start the container without it", "이 파일이 없으면 docker가 컨테이너를 시작하지 않음");
    let diagnostic = Diagnostic::new(Code::DockerBadFlag, message).label(path.span, label).help(text!(
        "the path starts where the command runs; what the file sets is not known here",
        "경로는 명령을 실행하는 곳에서 시작합니다. 이 파일이 설정하는 값은 여기서 알 수 없습니다"
    ));
    Diagnostic { severity: Severity::Warning, ..diagnostic }
}
