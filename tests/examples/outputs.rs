//! Outputs that are closed or full, and names that would steer a terminal.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::process::{Run, example, example_on};

const MANIFEST: &str =
    "name: app\nenv:\n  DB_PASSWORD: x\n  OTHER: tfy-secret://my-tenant:prod:A\n";

/// Each program with a task that writes to both outputs.
fn tasks(fake: &FakeTrueFoundry, manifest: &str) -> Vec<(&'static str, Command)> {
    [
        ("quickstart", vec!["--yes"]),
        ("list_groups", vec![]),
        ("inspect_secret", vec!["prod", "A"]),
        ("create_group", vec!["app", "DB_PASSWORD", "--yes"]),
        ("update_group", vec!["prod", "DB_PASSWORD", "--yes"]),
        ("resolve", vec!["my-tenant:prod:A"]),
        ("check_manifest", vec![manifest]),
        ("zero_on_free", vec![]),
        ("secrets_before_deploy", vec![manifest, "--yes"]),
        ("fake_server", vec![]),
        ("copy_group", vec!["prod", "copy", "--manifest", manifest, "--yes"]),
        ("delete", vec!["prod", "--yes"]),
    ]
    .into_iter()
    .map(|(program, arguments)| {
        let mut command = example_on(fake, program, &arguments);
        command.env("DB_PASSWORD", "made-up-password").stdout(Stdio::null()).stderr(Stdio::null());
        (program, command)
    })
    .collect()
}

async fn fake() -> FakeTrueFoundry {
    FakeTrueFoundry::start().await.with_group("prod", [("A", "made-up-value"), ("B", "x")])
}

fn closed() -> Stdio {
    std::io::pipe().unwrap().1.into()
}

/// Linux has a device that is always full.
fn full() -> Option<Stdio> {
    File::options().write(true).open("/dev/full").ok().map(Stdio::from)
}

fn manifest() -> tempfile::TempPath {
    let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    std::fs::write(&file, MANIFEST).unwrap();
    file
}

fn ended(mut child: Child) -> Option<i32> {
    child.wait().unwrap().code()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stdout_that_is_gone_is_no_success_and_no_panic() {
    let (fake, manifest) = (fake().await, manifest());
    for (program, mut command) in tasks(&fake, manifest.to_str().unwrap()) {
        command.stdout(closed());
        assert_eq!(ended(command.spawn().unwrap()), Some(141), "{program}");
    }
    for (program, mut command) in tasks(&self::fake().await, manifest.to_str().unwrap()) {
        let Some(full) = full() else { return };
        command.stdout(full).stderr(Stdio::piped());
        let ran = command.spawn().unwrap().wait_with_output().unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{program}: {stderr}");
        assert!(stderr.contains("Check where stdout goes."), "{program}: {stderr}");
    }
    assert_eq!(ended(example("delete", &["--help"]).stdout(closed()).spawn().unwrap()), Some(141));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stderr_that_is_gone_stops_no_work() {
    let manifest = manifest();
    for stderr in [|| Some(closed()), full] {
        let fake = fake().await;
        for (program, mut command) in tasks(&fake, manifest.to_str().unwrap()) {
            let Some(stderr) = stderr() else { return };
            assert_eq!(ended(command.stderr(stderr).spawn().unwrap()), Some(0), "{program}");
        }
        assert_eq!(fake.groups(), ["app", "app-secrets", "copy"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_started_and_an_error_ends_without_a_stderr() {
    let fake = fake().await;
    let reference = ("X", "tfy-secret://my-tenant:prod:A");
    for (arguments, code) in [(&["--", "true"][..], 0), (&["--", "false"], 1), (&["--no"], 2)] {
        let mut command = example_on(&fake, "run_with_secrets", arguments);
        command.env("PATH", std::env::var_os("PATH").unwrap()).envs([reference]);
        command.stdout(closed()).stderr(closed());
        assert_eq!(ended(command.spawn().unwrap()), Some(code), "{arguments:?}");
    }
    for (program, arguments, code) in [
        ("list_groups", &["x"][..], 2),
        ("inspect_secret", &["no-such-group"], 1),
        ("delete", &["prod"], 3),
        ("resolve", &["my-tenant:prod:NO"], 1),
    ] {
        let mut command = example_on(&fake, program, arguments);
        command.stdout(closed()).stderr(closed());
        assert_eq!(ended(command.spawn().unwrap()), Some(code), "{program}");
    }
}

/// Escape, bell, right-to-left override, isolate, zero-width space and joiner, soft hyphen, byte order mark,
/// line separator, tag.
const ODD: [char; 10] = [
    '\u{1b}',
    '\u{7}',
    '\u{202e}',
    '\u{2066}',
    '\u{200b}',
    '\u{200d}',
    '\u{ad}',
    '\u{feff}',
    '\u{2028}',
    '\u{e0041}',
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_odd_in_a_name_reaches_the_terminal() {
    let odd: String = ODD.iter().collect();
    let (group, key) = (format!("prod{odd}"), format!("KEY{odd}"));
    let fake = FakeTrueFoundry::start().await.with_group(&group, [(&key, "x")]);
    let variable = format!("X{odd}");
    let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let escaped = |text: &str| text.escape_debug().to_string();
    let (group, key, manifest) = (group.as_str(), key.as_str(), file.to_str().unwrap());
    std::fs::write(
        &file,
        format!(
            "env:\n  \"{}\": tfy-secret://t:g:k{}\n  B: tfy-secret://t/{}\n",
            escaped(&variable),
            ODD[0],
            ODD[1]
        ),
    )
    .unwrap();
    let id = fake.group_id(group).unwrap();
    for (program, arguments) in [
        ("list_groups", vec![]),
        ("list_groups", vec!["--search", "no\u{1b}[31m"]),
        ("inspect_secret", vec![group]),
        ("inspect_secret", vec![group, key]),
        ("inspect_secret", vec![group, "no\u{1b}[31m"]),
        ("inspect_secret", vec!["--secret-id", "no\u{1b}[31m"]),
        ("create_group", vec![group, "A", "--yes"]),
        ("create_group", vec!["app", key, "--yes"]),
        ("update_group", vec![group, "--remove", key]),
        ("update_group", vec!["--id", &id, "A"]),
        ("copy_group", vec![group, "no\u{1b}[31m"]),
        ("copy_group", vec![group, "copy", "--manifest", manifest, "--yes"]),
        ("delete", vec![group, key]),
        ("delete", vec![group]),
        ("resolve", vec!["t:g:k\u{1b}[31m"]),
        ("check_manifest", vec![manifest]),
        ("check_manifest", vec![manifest, "--output", "json"]),
        ("secrets_before_deploy", vec![manifest, "--yes"]),
        ("secrets_before_deploy", vec![manifest, "--also", "no\u{1b}[31m", "--yes"]),
        ("run_with_secrets", vec!["--", "true"]),
        ("run_with_secrets", vec!["--manifest", manifest, "--", "true"]),
        ("zero_on_free", vec![]),
    ] {
        let mut command = example_on(&fake, program, &arguments);
        command.env("A", "x").env(&variable, "see tfy-secret://t:g:k").env("PATH", "/usr/bin:/bin");
        let ran = command.run();
        assert_ne!(ran.code, Some(101), "{program}: {}", ran.all());
        let all = ran.all();
        let seen: Vec<_> = all.chars().filter(|c| ODD.contains(c)).collect();
        assert!(seen.is_empty(), "{program} {arguments:?}: {seen:?} in {all:?}");
    }
    let listed = example_on(&fake, "list_groups", &[]).run().ended_with(0).stdout;
    assert!(listed.contains(&escaped(group)), "{listed}");
}
