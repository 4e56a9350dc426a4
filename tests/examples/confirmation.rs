//! The question, on a real terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::process::example_on;

/// Control-D: the end of the input.
const END: &str = "\u{4}";

struct Answered {
    code: Option<i32>,
    terminal: String,
}

/// Runs `delete` of the group `prod` on a terminal with this input.
fn delete_answering(fake: &FakeTrueFoundry, typed: &str) -> Answered {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = File::from(open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap());
    let mut command = example_on(fake, "delete", &["prod"]);
    command.stdin(terminal.try_clone().unwrap()).stderr(terminal).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    // Its copies would keep the terminal open.
    drop(command);
    let mut controller = File::from(controller);
    controller.write_all(typed.as_bytes()).unwrap();
    let mut seen = Vec::new();
    let mut buffer = [0; 1024];
    // Linux reports a terminal that all processes have closed as an error.
    while let Ok(read @ 1..) = controller.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..read]);
    }
    let code = child.wait().unwrap().code();
    Answered { code, terminal: String::from_utf8_lossy(&seen).into_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_yes_is_yes() {
    for typed in ["\n", "n\n", "no\n", "yess\n", "j\n", "delete\n", END] {
        let fake = FakeTrueFoundry::start().await.with_group("prod", [("A", "x")]);
        let Answered { code, terminal } = delete_answering(&fake, typed);
        assert_eq!(code, Some(3), "{typed:?}: {terminal}");
        assert!(terminal.contains("Continue? [y/N]"), "{terminal}");
        assert!(terminal.contains("Nothing was changed"), "{terminal}");
        assert_eq!(fake.groups(), ["prod"], "{typed:?}");
    }
    for typed in ["y\n", "Y\n", "yes\n", " YES \n"] {
        let fake = FakeTrueFoundry::start().await.with_group("prod", [("A", "x")]);
        let Answered { code, terminal } = delete_answering(&fake, typed);
        assert_eq!(code, Some(0), "{typed:?}: {terminal}");
        assert!(fake.groups().is_empty(), "{typed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_question_says_where_and_what() {
    let fake = FakeTrueFoundry::start().await.with_group("prod", [("A", "x"), ("B", "y")]);
    let Answered { terminal, .. } = delete_answering(&fake, "\n");
    let asked = terminal.find("Continue?").unwrap();
    for shown in ["Delete a whole secret group", "host:  127.0.0.1", "group: prod", "- A", "- B"] {
        assert!(terminal.find(shown).unwrap_or_else(|| panic!("{shown}: {terminal}")) < asked);
    }
}
