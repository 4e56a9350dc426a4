//! `run_with_secrets`: what the command gets, what is printed, and how it ends.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use truefoundry_secrets::SecretStoreKind;
use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::process::{Ran, Run, example, example_on, requests_of_task};

const DB: &str = "db value with 'quotes' and $dollars";
const API: &str = "api-value-0123456789";

async fn fake() -> FakeTrueFoundry {
    FakeTrueFoundry::start()
        .await
        .with_store(SecretStoreKind::HashicorpVault)
        .with_group("prod", [("DB", DB), ("API", API), ("NUL", "before\0after")])
}

/// A directory that is gone when the test ends.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("run-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn with(self, name: &str, text: &str) -> Self {
        fs::write(self.0.join(name), text).unwrap();
        self
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn with_path(mut command: Command) -> Command {
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command
}

fn run(fake: &FakeTrueFoundry, options: &[&str], script: &str, env: &[(&str, &str)]) -> Ran {
    run_in(Path::new("."), fake, options, script, env)
}

/// The values are compared in the command itself: they are printed nowhere.
fn run_in(
    directory: &Path,
    fake: &FakeTrueFoundry,
    options: &[&str],
    script: &str,
    env: &[(&str, &str)],
) -> Ran {
    let arguments = [options, &["--", "sh", "-c", script]].concat();
    let mut command = with_path(example_on(fake, "run_with_secrets", &arguments));
    command.current_dir(directory).envs(env.iter().copied());
    command.env("WANTED_DB", DB).env("WANTED_API", API);
    let ran = command.run();
    for value in [DB, API] {
        assert!(!ran.all().contains(value), "{}", ran.all());
    }
    ran
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_gets_the_values_and_no_other_process() {
    let fake = fake().await;
    let script = r#"
        [ "$A" = "$WANTED_DB" ] && [ "$B" = "$WANTED_API" ] && [ "$AGAIN" = "$WANTED_DB" ] || exit 1
        [ "$PLAIN" = "as it is" ] || exit 2
        [ -z "${TFY_API_KEY+x}" ] && [ -n "$TFY_BASE_URL" ] || exit 3
        echo from the command
    "#;
    let env = [
        ("A", "tfy-secret://my-tenant:prod:DB"),
        ("B", "tfy-secret://my-tenant:prod:API"),
        ("AGAIN", "tfy-secret://my-tenant:prod:DB"),
        ("PLAIN", "as it is"),
    ];
    let ran = run(&fake, &[], script, &env).ended_with(0);
    assert_eq!(ran.stdout, "from the command\n");
    assert!(ran.stderr.contains("TFY_API_KEY is not passed on"), "{}", ran.stderr);
    assert_eq!(requests_of_task(&fake).len(), 1);

    let ran = run(&fake, &["--keep-api-key"], r#"[ -n "$TFY_API_KEY" ]"#, &[]).ended_with(0);
    assert!(!ran.stderr.contains("not passed on"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_and_an_env_file_add_to_the_environment() {
    let fake = fake().await;
    let directory = Directory::new()
        .with(
            "app.yaml",
            "name: app\nenv:\n  A: tfy-secret://my-tenant:prod:DB\n  PORT: 8000\n  V: 1.10\n  \
             EMPTY: ''\n  BOTH: manifest\n  OVER: manifest\nother: [1, {env: {A: x}}]\n",
        )
        .with(
            "app.json",
            r#"{"env": {"A": "tfy-secret:\/\/my-tenant:prod:DB", "PORT": "8000", "V": "1.10",
                "EMPTY": "", "BOTH": "x", "OVER": "manifest"}}"#,
        )
        .with(
            ".env",
            "# c\nexport B='tfy-secret://my-tenant:prod:API'\nBOTH=file # c\nPLAIN=pa$HOME$$x\n\
             CFG={\"provider\":\"made-up\",\"n\":1}\nPASS=ab\"cd\"ef\nNAME=My App\nNOTE=it's made up\n\
             DIR=C:\\made\\up\nSINGLE='a\\$b'\nLINES=\"a\nb\"\nBOTH=last\nLAST=x ",
        );
    let script = r#"
        [ "$A" = "$WANTED_DB" ] && [ "$B" = "$WANTED_API" ] || exit 1
        [ "$PORT $V [$EMPTY] $BOTH $OVER $OWN" = "8000 1.10 [] last manifest own" ] || exit 2
        [ "$PLAIN" = 'pa$HOME$$x' ] && [ "$SINGLE" = 'a\$b' ] || exit 3
        [ "$LAST" = x ] && [ "$LINES" = "$WANTED_LINES" ] || exit 4
        [ "$CFG" = '{"provider":"made-up","n":1}' ] && [ "$PASS" = 'ab"cd"ef' ] || exit 5
        [ "$NAME $NOTE" = "My App it's made up" ] && [ "$DIR" = 'C:\made\up' ] || exit 6
    "#;
    let env = [("HOME", "/nowhere"), ("OWN", "own"), ("OVER", "own"), ("WANTED_LINES", "a\nb")];
    for manifest in ["app.yaml", "app.json"] {
        fake.clear_requests();
        let options = ["--manifest", manifest, "--env-file", ".env"];
        run_in(&directory.0, &fake, &options, script, &env).ended_with(0);
        assert_eq!(requests_of_task(&fake).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_is_written() {
    let fake = fake().await;
    let directory = Directory::new().with("m.yaml", "env: {A: 'tfy-secret://my-tenant:prod:DB'}");
    let script = r#"[ "$A" = "$WANTED_DB" ]"#;
    let home = directory.0.to_str().unwrap();
    let env = [("HOME", home), ("TMPDIR", home), ("XDG_CACHE_HOME", home)];
    run_in(&directory.0, &fake, &["--manifest", "m.yaml"], script, &env).ended_with(0);
    assert_eq!(directory.names(), ["m.yaml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_whole_value_is_replaced() {
    let fake = fake().await;
    let url = "postgres://u:tfy-secret://my-tenant:prod:DB@host/";
    let script = r#"[ "$URL" = "$WANTED_URL" ]"#;
    let ran = run(&fake, &[], script, &[("URL", url), ("WANTED_URL", url)]).ended_with(0);
    assert!(ran.stderr.contains("the reference within the value of URL"), "{}", ran.stderr);
    assert_eq!(fake.request_count(), 0);
}

/// Characters that env files and shells leave around a value.
#[tokio::test(flavor = "multi_thread")]
async fn a_reference_in_quotes_starts_nothing() {
    let fake = fake().await;
    let reference = "tfy-secret://my-tenant:prod:DB";
    for (value, says) in [
        (format!("\"{reference}\""), "quotes stand around the reference"),
        (format!("'{reference}'"), "quotes stand around the reference"),
        (format!("{reference}\""), "quotes stand around the reference"),
        (format!("\\\"{reference}\\\""), "quotes stand around the reference"),
        (format!(" \"{reference}\"\r\n"), "quotes stand around the reference"),
        (format!("\u{201c}{reference}\u{201d}"), "quotes stand around the reference"),
        (format!(" {reference}"), "whitespace or an invisible character"),
        (format!("{reference}\n"), "whitespace or an invisible character"),
        (format!("\u{feff}{reference}\u{200b}"), "whitespace or an invisible character"),
        (reference.replace("tfy", "TFY"), "scheme"),
        (reference.replace("//", "/"), "scheme"),
    ] {
        let ran = run(&fake, &[], "echo started", &[("X", &value)]).ended_with(1);
        assert_eq!(ran.stdout, "", "{value:?}");
        assert!(ran.stderr.contains("| X "), "{value:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(says), "{value:?}: {}", ran.stderr);
    }
    for value in [format!("\"{reference}\" and \"{reference}\""), format!("key={reference}")] {
        let ran = run(&fake, &[], "echo started", &[("X", &value)]).ended_with(0);
        assert!(ran.stderr.contains("the reference within the value of X"), "{}", ran.stderr);
    }
    assert_eq!(fake.request_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_started_while_a_reference_comes_to_nothing() {
    let fake = fake().await;
    let good = ("A", "tfy-secret://my-tenant:prod:DB");
    let missing = [
        good,
        ("GONE", "tfy-secret://my-tenant:prod:GONE"),
        ("ALSO", "tfy-secret://my-tenant:prod:GONE"),
        ("ELSEWHERE", "tfy-secret://my-tenant:other:DB"),
    ];
    let ran = run(&fake, &[], "echo started", &missing).ended_with(1);
    assert_eq!(ran.stdout, "");
    for shown in ["ALSO, GONE", "ELSEWHERE", "prod:GONE", "other:DB", "Nothing was started"] {
        assert!(ran.stderr.contains(shown), "{}", ran.stderr);
    }
    for (broken, says) in
        [("tfy-secret://hunter2", "malformed"), ("tfy-secret://my-tenant:prod:NUL", "NUL")]
    {
        let ran = run(&fake, &[], "echo started", &[good, ("B", broken)]).ended_with(1);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains(says) && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
    let hidden = fake.with_values_hidden();
    let ran = run(&hidden, &[], "echo started", &[good]).ended_with(1);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("not shown by"), "{}", ran.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_understood_start_nothing_and_are_not_quoted() {
    let fake = fake().await;
    let manifests = [
        "env: {A: [hunter2]}",
        "env: {A: hunter2, A: b}",
        "env: {A: }",
        "env: [{name: A, value: hunter2}]",
        "env: {'hunter2",
        "env: {'A=B': hunter2}",
        "env: {A: \"hunter2\\0\"}",
        "name: a\ncomponents: [{env: {A: hunter2}}]",
        "env: {A: hunter2}\n---\nenv: {A: b}",
    ];
    let env_files = [
        "A=b\nhunter2 hunter2",
        "A=b\nhunter2",
        "A=hunter2#x",
        "A=\"hunter2${HOME}\"",
        "A='hunter2",
        "A=\"hunter2\\t\"",
        "A=hunter2\0",
    ];
    let all = manifests.map(|text| ("--manifest", text)).into_iter();
    for (option, text) in all.chain(env_files.map(|text| ("--env-file", text))) {
        let directory = Directory::new().with("file", text);
        let ran = run_in(&directory.0, &fake, &[option, "file"], "echo started", &[]).ended_with(1);
        assert_eq!(ran.stdout, "", "{text}");
        assert!(ran.stderr.contains("nothing was started"), "{text}: {}", ran.stderr);
        assert!(!ran.stderr.contains("hunter2"), "{text}: {}", ran.stderr);
    }
    let directory = Directory::new().with("file", "A=b\n\nNAME=\"made ${UP}\"\n");
    let ran = run_in(&directory.0, &fake, &["--env-file", "file"], "echo", &[]).ended_with(1);
    assert!(ran.stderr.contains("line 3, NAME: it has a ${..}"), "{}", ran.stderr);
    run(&fake, &["--manifest", "/no/such/file"], "echo", &[]).ended_with(1);
    assert_eq!(fake.request_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_is_the_commands() {
    let fake = fake().await;
    for code in [0, 1, 7, 255] {
        run(&fake, &[], &format!("exit {code}"), &[]).ended_with(code);
    }
    for (program, code) in [("/no/such/program", 127), ("/", 126)] {
        let ran = example_on(&fake, "run_with_secrets", &["--", program]).run().ended_with(code);
        assert!(ran.stderr.contains("cannot be started"), "{}", ran.stderr);
    }
    for arguments in [&["sh"][..], &["--"], &["--no-such", "--", "sh"], &[]] {
        example_on(&fake, "run_with_secrets", arguments).run().ended_with(2);
    }
    // Arguments after `--` are not this program's.
    let mut help = with_path(example("run_with_secrets", &["--", "echo", "--help", "A=b", "--"]));
    assert_eq!(help.run().ended_with(0).stdout, "--help A=b --\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_reach_the_command() {
    let fake = fake().await;
    let reference = "tfy-secret://my-tenant:prod:DB";
    // The exit code that a shell reports for a command that a signal ended.
    let program = example("run_with_secrets", &[]);
    let script = r#""$PROGRAM" -- sh -c 'kill -TERM $$'; exit $?"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).env("PROGRAM", program.get_program());
    shell
        .env("TFY_BASE_URL", fake.base_url())
        .env("TFY_API_KEY", fake.api_key())
        .env("A", reference);
    shell.run().ended_with(143);

    // A signal that is sent to the process that was started; no TERM is ignored, as INT is in background jobs.
    let script = r"trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done";
    let mut command = with_path(example_on(&fake, "run_with_secrets", &["--", "sh", "-c", script]));
    command.env("A", reference).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut ready = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(42), None));
}
