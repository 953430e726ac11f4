//! The exit codes of the `firedrill` command.

use std::process::{ExitCode, Termination};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: all held.
    Held,
    /// 1: a rule was violated or an expectation was not met.
    Violated,
    /// 2: incomplete: a covered rule was not exercised, a required target is unavailable, or the runs were stopped early.
    Incomplete,
    /// 64: wrong usage or a bad scenario file.
    Usage,
    /// 70: the harness itself failed.
    Harness,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Violated => 1,
            Self::Incomplete => 2,
            Self::Usage => 64,
            Self::Harness => 70,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
