//! Tests that need a process of their own, because the environment and the loggers belong to a process.

use std::process::{Command, Output};

pub(crate) const PROXY_VARIABLES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const OWN_VARIABLES: [&str; 4] = ["TFY_BASE_URL", "TFY_HOST", "TFY_API_HOST", "TFY_API_KEY"];

/// Runs this test binary again, for one of its ignored tests, named with its module.
pub(crate) fn child(test: &str, environment: &[(&str, &str)]) -> Output {
    child_command(test).envs(environment.iter().copied()).output().unwrap()
}

pub(crate) fn child_command(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", test]);
    for name in PROXY_VARIABLES.iter().chain(&OWN_VARIABLES) {
        command.env_remove(name);
    }
    // It would disable the proxies, and the test would find nothing.
    command.env_remove("NO_PROXY").env_remove("no_proxy").env_remove("REQUEST_METHOD");
    command
}

#[track_caller]
pub(crate) fn succeed(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{output:?}");
}
