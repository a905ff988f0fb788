//! The command line of canreach.

use canreach::cli::{self, Exit};

fn main() -> Exit {
    cli::run()
}
