//! The `firedrill` command.

use conformance::cli;
use conformance::exit::Exit;

/// A run makes and drops many small values; a sixth of its time went into the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Exit {
    cli::main(std::env::args_os())
}
