//! The `firedrill` command.

use conformance::cli;
use conformance::exit::Exit;

fn main() -> Exit {
    cli::main(std::env::args_os())
}
