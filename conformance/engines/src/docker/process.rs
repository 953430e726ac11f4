//! Programs in containers, with what they read and what they write.

use super::DockerError;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, future};
use std::pin::Pin;
use testcontainers::bollard;
use testcontainers::bollard::container::LogOutput;
use testcontainers::bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Bytes of a program's complaints that are kept.
const COMPLAINTS: usize = 64 * 1024;

/// Bytes that a program's output is taken in at a time.
const PORTION: usize = 256 * 1024;

/// A program to run in a container.
#[derive(Debug, Clone, Default)]
pub struct Command {
    program: Vec<String>,
    environment: Vec<String>,
    account: Option<String>,
    input: Option<Vec<u8>>,
}

impl Command {
    /// A program with its arguments.
    pub fn new<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Self {
        Self { program: words.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// A line for the shell.
    pub fn shell(line: impl Into<String>) -> Self {
        Self::new(["sh".to_owned(), "-ec".to_owned(), line.into()])
    }

    /// With a variable of its environment; the place for passwords, which show in no list of processes there.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push(format!("{name}={value}"));
        self
    }

    /// As an account of the container.
    #[must_use]
    pub fn account(mut self, name: &str) -> Self {
        self.account = Some(name.to_owned());
        self
    }

    /// With what it reads.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }
}

/// What a program came to.
#[derive(Debug, Clone)]
pub struct Output {
    /// Program.
    pub program: String,
    /// Exit code.
    pub code: i64,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it complained of; the end of it.
    pub stderr: String,
}

impl Output {
    /// It as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Itself, unless it ended badly.
    ///
    /// # Errors
    /// When it ended badly.
    pub fn well(self) -> Result<Self, DockerError> {
        if self.code == 0 {
            return Ok(self);
        }
        let said = if self.stderr.trim().is_empty() { self.text() } else { self.stderr };
        Err(DockerError::Program { program: self.program, code: self.code, said: said.trim().to_owned() })
    }
}

/// A program under way.
pub struct Process {
    client: bollard::Docker,
    program: String,
    id: String,
    input: Pin<Box<dyn AsyncWrite + Send>>,
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>,
    given: Option<Vec<u8>>,
    complaints: Vec<u8>,
}

impl Process {
    pub(super) async fn start(
        client: &bollard::Docker,
        container: &str,
        command: Command,
    ) -> Result<Self, DockerError> {
        let program = command.program.first().cloned().unwrap_or_default();
        let options = CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command.program),
            env: (!command.environment.is_empty()).then_some(command.environment),
            user: command.account,
            ..CreateExecOptions::default()
        };
        let id = client.create_exec(container, options).await?.id;
        let how = StartExecOptions { output_capacity: Some(PORTION), ..StartExecOptions::default() };
        match client.start_exec(&id, Some(how)).await? {
            StartExecResults::Attached { output, input } => {
                let client = client.clone();
                Ok(Self { client, program, id, input, output, given: command.input, complaints: vec![] })
            }
            StartExecResults::Detached => Err(DockerError::Container(format!("{program} runs unattended"))),
        }
    }

    /// Gives it something to read.
    ///
    /// # Errors
    /// When it reads no more.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), DockerError> {
        let written = self.input.write_all(bytes).await;
        written.map_err(|error| DockerError::Container(format!("{} reads no more: {error}", self.program)))
    }

    /// Tells it that there is nothing more to read.
    pub async fn end_input(&mut self) {
        // One that has ended has no input that could be closed.
        let _ = self.input.shutdown().await;
    }

    /// The next of what it writes; `None` when it has written all.
    ///
    /// # Errors
    /// When the connection to it breaks.
    pub async fn read(&mut self) -> Result<Option<Bytes>, DockerError> {
        loop {
            match self.output.next().await.transpose()? {
                None => return Ok(None),
                Some(LogOutput::StdErr { message }) => self.complain(&message),
                Some(other) => return Ok(Some(other.into_bytes())),
            }
        }
    }

    fn complain(&mut self, bytes: &[u8]) {
        self.complaints.extend_from_slice(bytes);
        let over = self.complaints.len().saturating_sub(COMPLAINTS);
        self.complaints.drain(..over);
    }

    /// Waits for its end without reading what it writes beyond [`Self::read`]; to be called when that gave `None`.
    ///
    /// # Errors
    /// When the engine does not know how it ended.
    pub async fn end(self) -> Result<Output, DockerError> {
        // The connection is closed a little before the engine knows of the end.
        for _ in 0..600 {
            let found = self.client.inspect_exec(&self.id).await?;
            if let (Some(false), Some(code)) = (found.running, found.exit_code) {
                let stderr = String::from_utf8_lossy(&self.complaints).into_owned();
                return Ok(Output { program: self.program, code, stdout: vec![], stderr });
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        Err(DockerError::Container(format!("{} does not end", self.program)))
    }

    /// Gives it what its command says it reads, takes all it writes, and waits for its end.
    ///
    /// # Errors
    /// When the connection to it breaks.
    pub async fn output(mut self) -> Result<Output, DockerError> {
        let given = self.given.take().unwrap_or_default();
        let mut stdout = Vec::new();
        // What it is given and what it writes may both be more than the pipes hold.
        let Self { input, output, complaints, .. } = &mut self;
        let giving = async {
            // One that ends without reading all of it says why itself.
            let _ = input.write_all(&given).await;
            let _ = input.shutdown().await;
            Ok::<(), DockerError>(())
        };
        let taking = async {
            while let Some(part) = output.next().await.transpose()? {
                match part {
                    LogOutput::StdErr { message } => complaints.extend_from_slice(&message),
                    other => stdout.extend_from_slice(&other.into_bytes()),
                }
            }
            Ok(())
        };
        future::try_join(giving, taking).await?;
        let ended = self.end().await?;
        Ok(Output { stdout, ..ended })
    }

    /// Gives it a source to read, portion by portion, lets `hears` have what it complains of, throws away what else it
    /// writes, and waits for its end. Gives its exit code.
    ///
    /// # Errors
    /// When the source cannot be read, or the connection to it breaks.
    pub async fn feed(
        self,
        source: &mut dyn Iterator<Item = std::io::Result<Bytes>>,
        hears: &mut dyn FnMut(&[u8]),
    ) -> Result<i64, DockerError> {
        let Self { client, program, id, mut input, mut output, .. } = self;
        let giving = async {
            let mut broken = None;
            for portion in source {
                match portion {
                    // One that ends without reading all of it says why itself.
                    Ok(portion) if input.write_all(&portion).await.is_err() => break,
                    Ok(_) => {}
                    Err(error) => {
                        broken = Some(DockerError::Container(error.to_string()));
                        break;
                    }
                }
            }
            // One that has ended has no input that could be closed.
            let _ = input.shutdown().await;
            Ok::<_, DockerError>(broken)
        };
        let taking = async {
            while let Some(part) = output.next().await.transpose()? {
                if let LogOutput::StdErr { message } = part {
                    hears(&message);
                }
            }
            Ok(())
        };
        let (broken, ()) = future::try_join(giving, taking).await?;
        let (input, output) = (Box::pin(tokio::io::sink()), Box::pin(futures_util::stream::empty()));
        let process = Self { client, program, id, input, output, given: None, complaints: vec![] };
        let ended = process.end().await?;
        broken.map_or(Ok(ended.code), Err)
    }
}
