//! Writes the book's pages: `cargo run --example book -- PROGRAM`, from anywhere in the repository. `make book` calls it.

mod pages;

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let Some(program) = env::args().nth(1) else {
        return complaint("the path of canreach is missing");
    };
    match write(Path::new(&program)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complaint(&error.to_string()),
    }
}

#[allow(clippy::print_stderr, reason = "this is a program of its own")]
fn complaint(what: &str) -> ExitCode {
    eprintln!("the book cannot be put together: {what}");
    ExitCode::FAILURE
}

fn write(program: &Path) -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let book = root.join("book/gathered");
    if book.exists() {
        fs::remove_dir_all(&book)?;
    }
    for page in pages::gather(root, program)? {
        let path = book.join(&page.path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(path, page.text)?;
    }
    Ok(())
}
