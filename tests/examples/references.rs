//! `resolve` and `check_manifest`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};

use crate::process::{Ran, Run, example, example_on, requests_of_task};

const VALUE: &str = "a-value-nobody-may-see";

async fn fake() -> FakeTrueFoundry {
    FakeTrueFoundry::start().await.with_group("prod", [("DB", VALUE), ("SHORT", "hunter2")])
}

/// `check_manifest` with that text on its stdin.
fn check(fake: &FakeTrueFoundry, text: &str) -> Ran {
    check_as(fake, text, &["-"])
}

fn check_as(fake: &FakeTrueFoundry, text: &str, arguments: &[&str]) -> Ran {
    piped(&mut example_on(fake, "check_manifest", arguments), text)
}

fn piped(command: &mut Command, text: &str) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that does not read it closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The rows of a table, without the padding.
fn rows(table: &str) -> Vec<Vec<&str>> {
    table
        .lines()
        .skip(2)
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn references_are_resolved_in_one_request_and_shown_masked() {
    let fake = fake().await;
    let arguments = ["tfy-secret://my-tenant:prod:DB", "my-tenant:prod:SHORT"];
    let ran = example_on(&fake, "resolve", &arguments).run().ended_with(0);
    let expected = [
        ["tfy-secret://my-tenant:prod:DB", "a-va***"],
        ["tfy-secret://my-tenant:prod:SHORT", "(set)"],
    ];
    assert_eq!(rows(&ran.stdout), expected);
    assert!(!ran.all().contains(VALUE) && !ran.all().contains("hunter2"), "{}", ran.all());
    assert_eq!(requests_of_task(&fake).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_references_that_do_not_resolve_are_listed() {
    let fake = fake().await;
    let mut arguments = vec!["my-tenant:prod:DB".to_owned()];
    arguments.extend((0..25).map(|number| format!("my-tenant:prod:NO_{number:02}")));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let ran = example_on(&fake, "resolve", &arguments).run().ended_with(1);
    assert_eq!(ran.stdout, "");
    assert_eq!(ran.stderr.matches("does not exist").count(), 25, "{}", ran.stderr);
    assert!(ran.stderr.contains("prod:NO_24 ") && ran.stderr.contains("hint: "), "{}", ran.stderr);

    let hidden = fake.with_values_hidden();
    let ran = example_on(&hidden, "resolve", &["my-tenant:prod:DB"]).run().ended_with(1);
    assert!(ran.stderr.contains("not shown by the control plane"), "{}", ran.stderr);
}

#[test]
fn what_is_no_reference_is_not_repeated() {
    for arguments in [vec!["hunter2-hunter2"], vec!["tfy-secret://t:g:k", "hunter2:hunter2"]] {
        let ran = example("resolve", &arguments).run().ended_with(2);
        assert!(!ran.all().contains("hunter2"), "{}", ran.all());
    }
    let ran = example("resolve", &[]).run().ended_with(2);
    assert!(ran.stderr.contains("Usage: "), "{}", ran.stderr);
}

#[test]
fn both_work_on_the_fake_where_nothing_is_configured() {
    let reference = "tfy-secret://my-org:prod-secrets:DB_PASSWORD";
    let ran = example("resolve", &[reference]).run().ended_with(0);
    assert!(ran.stderr.contains("fake control plane"), "{}", ran.stderr);
    assert!(!ran.all().contains("made-up-"), "{}", ran.all());
    let ran = example("check_manifest", &["/no/such/file"]).run().ended_with(1);
    assert!(ran.stderr.contains("FILE cannot be read"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_of_every_kind_are_checked_place_by_place() {
    let fake = fake().await;
    let good = "tfy-secret://my-tenant:prod:DB";
    let bad = "tfy-secret://my-tenant:prod:NOPE";
    let broken = "tfy-secret://my-tenant:prod";
    let fits = [
        (format!("env:\n  A: {good} # c\n  B: \"{bad}\"\n  C: {broken}\n"), ["2:6", "3:7", "4:6"]),
        (
            format!(
                "{{\"env\": {{\n\"A\": \"{good}\",\n\"B\": \"{bad}\",\n\"C\": \"{broken}\"}}}}"
            ),
            ["2:7", "3:7", "4:7"],
        ),
        (format!("# x\nexport A={good}\nB='{bad}'\nC={broken}"), ["2:10", "3:4", "4:3"]),
        (
            format!(
                "a:\n  - name: A\n    value: {good}\n  - b: {bad}\n{{{{- if .Values.x }}}}\n  c: {broken}\n"
            ),
            ["3:12", "4:8", "6:6"],
        ),
    ];
    for (text, places) in fits {
        fake.clear_requests();
        let ran = check(&fake, &text).ended_with(1);
        let rows = rows(&ran.stdout);
        assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), places, "{}", ran.stdout);
        assert_eq!(rows[0][1..], [good, "exists"]);
        assert_eq!(rows[1][1], bad);
        assert!(rows[1][2].starts_with("does not exist"), "{}", ran.stdout);
        assert!(rows[2][1..][0] == "(malformed)" && rows[2][2].starts_with("no key"));
        // One request, which asks for no value.
        let requests = requests_of_task(&fake);
        assert_eq!(requests.len(), 1);
        assert_ne!(requests[0].body().unwrap().get("withValue"), Some(&true.into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_says_whether_a_manifest_is_sound() {
    let fake = fake().await;
    let good = "A=tfy-secret://my-tenant:prod:DB\nB=tfy-secret://my-tenant:prod:DB\n";
    let ran = check(&fake, good).ended_with(0);
    assert_eq!(rows(&ran.stdout).len(), 2);
    check(&fake, &format!("{good}C=tfy-secret://my-tenant:prod:NOPE")).ended_with(1);
    check(&fake, &format!("{good}C=tfy-secret://x")).ended_with(1);

    fake.clear_requests();
    let ran = check(&fake, "A: tfy-secret://hunter2").ended_with(1);
    assert!(!ran.all().contains("hunter2"), "{}", ran.all());
    for text in ["", "env: {}\n", "my-tenant:prod:DB"] {
        let ran = check(&fake, text).ended_with(0);
        assert_eq!(ran.stdout, "There are no references.\n");
    }
    assert_eq!(fake.request_count(), 0);
}

/// The states that are shown for a text, row by row.
fn states(ran: &Ran) -> Vec<String> {
    rows(&ran.stdout).iter().map(|row| row[2].to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_exists_only_if_the_whole_value_does() {
    let fake = fake().await;
    let good = "tfy-secret://my-tenant:prod:DB";
    for (text, state) in [
        (format!("env:\n  A: {good}\u{a0}\n"), r"the unprintable character \u{a0} at byte 30 "),
        (format!("A={good}\u{200b}\n"), r"the unprintable character \u{200b} "),
        (format!("{{\"A\": \"{good}\\u001b[31m\"}}"), r"the unprintable character \u{1b} "),
        (format!("A: {good}, and more\n"), "does not exist"),
        (format!("A: {good}#x\n"), "does not exist"),
        (format!("A={good};\n"), "does not exist"),
        (format!("A: {good}\n  more\n"), "a line break at byte 30 "),
        ("A: tfy-secret://prod/DB".to_owned(), "`/` instead of `:` at byte 17 "),
    ] {
        let ran = check(&fake, &text).ended_with(1);
        let states = states(&ran);
        assert!(states.len() == 1 && states[0].starts_with(state), "{text}: {states:?}");
        assert!(!ran.all().contains(['\u{a0}', '\u{200b}', '\u{1b}']), "{}", ran.all());
    }
    for text in [
        format!("A: {good} # why\n"),
        format!("A: [{good}, x]\n"),
        format!("# see {good}, or ({good}).\n"),
    ] {
        let ran = check(&fake, &text).ended_with(0);
        assert!(states(&ran).iter().all(|state| state == "exists"), "{}", ran.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_not_checked() {
    let fake = fake().await;
    let text = "env:\n  A: tfy-secret://my-tenant:${STAGE}-app:KEY\n  \
                B: tfy-secret://{{ .Values.tenant }}:app:KEY\n  \
                # written tfy-secret://<tenant>:<group>:<key> or tfy-secret://{tenant}:{group}:{key}\n";
    let ran = check(&fake, text).ended_with(0);
    assert_eq!(states(&ran), ["not checked: has a template"; 4]);
    assert_eq!(fake.request_count(), 0);

    let ran = check(&fake, &format!("{text}  C: tfy-secret://my-tenant:prod:NOPE\n")).ended_with(1);
    assert_eq!(states(&ran)[..4], ["not checked: has a template"; 4]);
    assert!(states(&ran)[4].starts_with("does not exist"), "{}", ran.stdout);
    assert!(ran.stderr.contains("of 5 reference(s) 1 cannot be found and 0 are malformed"));
    let help = example("check_manifest", &["--help"]).run().ended_with(0);
    assert!(
        help.all().contains("References that are not checked do not change the exit code."),
        "{}",
        help.all()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn prose_that_names_the_scheme_is_no_reference() {
    let fake = fake().await;
    let text = "## Write a tfy-secret:// reference here (such as tfy-secret://my-tenant:prod:DB), never the \
                key itself.\n## `tfy-secret://...`, \"tfy-secret://\"\napiKey: \"\"\n";
    let ran = check(&fake, text).ended_with(0);
    assert_eq!(states(&ran), ["exists"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_reads_the_same_as_json() {
    let fake = fake().await;
    let good = "tfy-secret://my-tenant:prod:DB";
    let bad = "tfy-secret://my-tenant:prod:NO\u{e9}";
    let text =
        format!("A: {good}\nB: {bad}\nC: tfy-secret://hunter2\nD: tfy-secret://${{T}}:a:b\n");
    let ran = check_as(&fake, &text, &["-", "--output", "json"]).ended_with(1);
    let mut value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let problem = value["references"][2]["problem"].take();
    assert!(problem.as_str().unwrap().starts_with("no group"), "{problem}");
    let row = |line: usize, reference: Option<&str>, state: &str, problem: Option<&str>| {
        serde_json::json!({
            "line": line, "column": 4, "reference": reference, "state": state, "problem": problem,
        })
    };
    let missing = "does not exist, or this key may not see it";
    assert_eq!(
        value,
        serde_json::json!({
            "references": [
                row(1, Some(good), "exists", None),
                row(2, Some(bad), "missing", Some(missing)),
                row(3, None, "malformed", None),
                row(4, None, "not_checked", Some("has a template")),
            ],
            "exists": 1, "missing": 1, "malformed": 1, "not_checked": 1,
        })
    );
    assert!(!ran.all().contains("hunter2"), "{}", ran.all());

    let ran = check_as(&fake, "a: b", &["--output=json", "-"]).ended_with(0);
    let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["references"], serde_json::json!([]));
    check_as(&fake, good, &["-", "--output", "json"]).ended_with(0);
    assert_eq!(check_as(&fake, good, &["-", "--output", "yaml"]).ended_with(2).stdout, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_told_from_what_is_missing() {
    let fake = fake().await;
    let text = "A: tfy-secret://my-tenant:prod:DB\n";
    for arguments in [&["-"][..], &["-", "--output", "json"]] {
        fake.inject(Fault::status(401).on("secrets.list"));
        let ran = check_as(&fake, text, arguments).ended_with(4);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("hint: "), "{}", ran.all());
    }
    let mut command = example("check_manifest", &["-"]);
    command.env("TFY_API_KEY", "made-up-api-key");
    assert_eq!(piped(&mut command, text).ended_with(4).stdout, "");
}
