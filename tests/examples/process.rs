//! Runs an example and captures its output.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use truefoundry_secrets::testing::{FakeTrueFoundry, RecordedRequest};

/// `cargo test` builds the examples; `cargo test --test examples` by itself does not.
fn path_of(example: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(std::path::Path::parent).unwrap();
    let path = target.join("examples").join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{example} is not built: run `cargo build --examples` first");
    path
}

/// A home folder without a login of the `tfy` CLI, which this machine's user may have.
pub(crate) fn empty_home() -> PathBuf {
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("empty-home");
    std::fs::create_dir_all(&home).unwrap();
    home
}

/// An example without any setting of this machine's, and without a terminal.
pub(crate) fn example(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(path_of(name));
    command.args(arguments).env_clear().stdin(Stdio::null());
    for home in ["HOME", "USERPROFILE"] {
        command.env(home, empty_home());
    }
    // Windows needs it for sockets.
    if let Some(root) = std::env::var_os("SystemRoot") {
        command.env("SystemRoot", root);
    }
    command
}

pub(crate) fn example_on(fake: &FakeTrueFoundry, name: &str, arguments: &[&str]) -> Command {
    let mut command = example(name, arguments);
    command.env("TFY_BASE_URL", fake.base_url()).env("TFY_API_KEY", fake.api_key());
    command
}

/// The requests of an example's task, without the one for its identity.
pub(crate) fn requests_of_task(fake: &FakeTrueFoundry) -> Vec<RecordedRequest> {
    let mut requests = fake.requests();
    requests.retain(|request| request.operation() != Some("session.get"));
    requests
}

pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Both outputs, to check what may appear in neither.
    pub(crate) fn all(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.all());
        self
    }
}

pub(crate) trait Run {
    fn run(&mut self) -> Ran;
}

impl Run for Command {
    fn run(&mut self) -> Ran {
        let Output { status, stdout, stderr } = self.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }
}
