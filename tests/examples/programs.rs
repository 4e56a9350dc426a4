//! The programs for single tasks.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{SecretStoreKind, testing::Fault};

use crate::process::{Run, example, example_on};

const OLD: &str = "old-value-0123456789";
const NEW: &str = "new-value-9876543210";

async fn fake() -> FakeTrueFoundry {
    FakeTrueFoundry::start()
        .await
        .with_store(SecretStoreKind::AwsSecretsManager)
        .with_group("prod", [("DB_PASSWORD", OLD), ("API_KEY", OLD), ("OTHER", OLD)])
}

#[test]
fn quickstart_needs_no_setting_at_all() {
    let ran = example("quickstart", &[]).run().ended_with(0);
    assert!(ran.stderr.contains("fake control plane"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("Confirmed automatically: the control plane is fake."),
        "{}",
        ran.stderr
    );
    let steps = [
        "1. Pick",
        "AWS Secrets Manager",
        "2. Create",
        "3. List",
        "| prod-secrets ",
        "4. Show",
        "5. Rotate",
        "~ API_KEY  = 1 kept",
        "6. Delete",
        "no longer found",
    ];
    let mut rest = ran.stdout.as_str();
    for step in steps {
        let at = rest.find(step).unwrap_or_else(|| panic!("no {step} in {}", ran.stdout));
        rest = &rest[at..];
    }
    assert!(ran.stdout.contains("***"), "{}", ran.stdout);
    assert!(!ran.all().contains("made-up-"), "{}", ran.all());
}

#[test]
fn quickstart_uses_the_names_that_azure_takes() {
    let ran = example("quickstart", &["--store", "azure"]).run().ended_with(0);
    assert!(ran.stdout.contains("~ API-KEY"), "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn quickstart_leaves_a_real_control_plane_as_it_was() {
    let fake = fake().await;
    let ran = example_on(&fake, "quickstart", &["--yes"])
        .env("QUICKSTART_DB_PASSWORD", NEW)
        .run()
        .ended_with(0);
    assert!(!ran.all().contains(NEW), "{}", ran.all());
    assert!(ran.stdout.contains("new-***"), "{}", ran.stdout);
    assert_eq!(fake.groups(), ["prod"]);
    let deletes: Vec<_> = fake.requests().into_iter().filter(|r| r.method() == "DELETE").collect();
    assert_eq!(deletes.len(), 1);

    // Without a confirmation nothing is written.
    fake.clear_requests();
    let ran = example_on(&fake, "quickstart", &[]).run().ended_with(3);
    assert!(ran.stderr.contains("stdin is not a terminal"), "{}", ran.stderr);
    assert!(fake.requests().iter().all(|request| request.method() == "GET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn quickstart_deletes_its_group_when_a_step_fails() {
    let fake = fake().await;
    fake.inject(Fault::status(403).on("secret_groups.update"));
    let ran = example_on(&fake, "quickstart", &["--yes"]).run().ended_with(1);
    assert!(ran.stderr.contains("error: ") && ran.stderr.contains("hint: "), "{}", ran.stderr);
    assert_eq!(fake.groups(), ["prod"]);
}

/// As with `| head`, wherever the reader stops.
#[tokio::test(flavor = "multi_thread")]
async fn quickstart_deletes_its_group_when_its_reader_has_gone() {
    let fake = fake().await;
    for lines in [0, 1, 5, 7, 12, 20] {
        let mut quickstart = example_on(&fake, "quickstart", &["--yes"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(quickstart.stdout.take().unwrap()).lines();
        assert_eq!(output.by_ref().take(lines).count(), lines);
        drop(output);
        quickstart.wait().unwrap();
        assert_eq!(fake.groups(), ["prod"], "after {lines} lines");
    }
}

#[test]
fn a_setting_that_cannot_be_used_is_told_with_its_own_hint() {
    let ran = example("list_groups", &[])
        .env("TFY_HOST", "my-org.truefoundry.cloud")
        .env("TFY_API_KEY", "k")
        .run()
        .ended_with(1);
    assert!(ran.stderr.contains("TFY_HOST is not a URL"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Correct this setting"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_deletion_says_so_before_it_is_confirmed() {
    let fake = fake().await;
    for arguments in [["prod", "DB_PASSWORD", "--force"].as_slice(), &["prod", "--force"]] {
        let ran = example_on(&fake, "delete", arguments).run().ended_with(3);
        assert!(ran.stderr.contains("forced: "), "{}", ran.stderr);
    }
}

#[test]
fn half_a_configuration_is_an_error() {
    let url = ("TFY_BASE_URL", "https://my-org.truefoundry.cloud");
    let host = ("TFY_HOST", "https://my-org.truefoundry.cloud");
    for ((name, value), missing) in
        [(url, "TFY_API_KEY"), (host, "TFY_API_KEY"), (("TFY_API_KEY", "k"), "TFY_BASE_URL")]
    {
        for program in ["quickstart", "list_groups"] {
            let ran = example(program, &[]).env(name, value).run().ended_with(1);
            assert!(ran.stderr.contains(missing), "{}", ran.stderr);
            assert!(!ran.stderr.contains("fake control plane"), "{}", ran.stderr);
        }
    }
}

#[test]
fn a_value_on_the_command_line_is_refused_and_not_repeated() {
    let fits = [
        ("create_group", vec!["app", "DB_PASSWORD=hunter2-hunter2"]),
        ("update_group", vec!["prod-secrets", "DB_PASSWORD=hunter2-hunter2", "--yes"]),
        ("update_group", vec!["prod-secrets", "--DB_PASSWORD=hunter2-hunter2"]),
        ("update_group", vec!["prod-secrets", "--yes=hunter2-hunter2"]),
        ("update_group", vec!["prod-secrets", "--remove=DB_PASSWORD=hunter2"]),
        ("update_group", vec!["prod-secrets", "-phunter2-hunter2"]),
        ("delete", vec!["prod-secrets", "DB_PASSWORD=hunter2-hunter2"]),
        ("create_group", vec!["app", "--store", "aws", "hunter2-hunter2"]),
        ("create_group", vec!["app", "--store", "aws", "DB_PASSWORD:hunter2/hunter2"]),
        ("create_group", vec!["app", "--hunter2-hunter2"]),
        ("list_groups", vec!["hunter2-hunter2"]),
    ];
    for (program, arguments) in fits {
        let ran = example(program, &arguments).run().ended_with(2);
        assert!(!ran.all().contains("hunter2"), "{program}: {}", ran.all());
    }
    let ran = example("create_group", &["app", "A=hunter2-hunter2"]).run();
    assert!(ran.stderr.contains("environment variable"), "{}", ran.stderr);
}

#[test]
fn help_is_no_error_and_a_wrong_command_line_is_exit_code_2() {
    for program in [
        "quickstart",
        "list_groups",
        "inspect_secret",
        "create_group",
        "update_group",
        "delete",
        "secrets_before_deploy",
        "resolve",
        "check_manifest",
        "run_with_secrets",
        "zero_on_free",
        "fake_server",
    ] {
        let ran = example(program, &["--help"]).run().ended_with(0);
        assert!(ran.stdout.starts_with(&format!("Usage: {program}")), "{}", ran.stdout);
        let ran = example(program, &["a", "b", "c", "--no-such-option"]).run().ended_with(2);
        assert!(ran.stderr.contains("unexpected argument #4"), "{}", ran.stderr);
        assert!(ran.stderr.contains("Usage: "), "{}", ran.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listing_and_inspecting_show_names_and_masks() {
    let fake = fake().await.with_group("dev", [("DB_PASSWORD", "short")]);
    let ran = example_on(&fake, "list_groups", &[]).run().ended_with(0);
    let id = fake.group_id("prod").unwrap();
    assert!(ran.stdout.contains(&format!("| prod | {id} | 3 ")), "{}", ran.stdout);
    let ran = example_on(&fake, "list_groups", &["--search", "dev"]).run().ended_with(0);
    assert!(!ran.stdout.contains("prod"), "{}", ran.stdout);

    let ran = example_on(&fake, "inspect_secret", &["dev"]).run().ended_with(0);
    assert!(ran.stdout.contains("(set)") && !ran.stdout.contains("short"), "{}", ran.stdout);
    let secret = fake.secret_id("prod", "API_KEY").unwrap();
    for arguments in
        [vec!["prod", "API_KEY"], vec!["--id", &id, "API_KEY"], vec!["--secret-id", &secret]]
    {
        let ran = example_on(&fake, "inspect_secret", &arguments).run().ended_with(0);
        assert!(ran.stdout.contains("tfy-secret://my-tenant:prod:API_KEY"), "{}", ran.stdout);
        assert!(ran.stdout.contains("old-***") && !ran.stdout.contains(OLD), "{}", ran.stdout);
    }

    let hidden = fake.clone().with_values_hidden();
    let ran = example_on(&hidden, "inspect_secret", &["prod"]).run().ended_with(0);
    assert!(ran.stdout.contains("(not shown by the control plane)"), "{}", ran.stdout);

    for arguments in [vec!["nope"], vec!["prod", "nope"], vec!["--secret-id", "nope"]] {
        let ran = example_on(&fake, "inspect_secret", &arguments).run().ended_with(1);
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_created_from_environment_variables() {
    let fake = fake().await;
    let arguments = ["app", "DB_PASSWORD", "TOKEN:MY_TOKEN", "--yes"];
    let ran = example_on(&fake, "create_group", &arguments)
        .env("DB_PASSWORD", OLD)
        .env("MY_TOKEN", NEW)
        .run()
        .ended_with(0);
    assert_eq!(fake.value("app", "DB_PASSWORD").as_deref(), Some(OLD));
    assert_eq!(fake.value("app", "TOKEN").as_deref(), Some(NEW));
    assert!(!ran.all().contains(OLD) && !ran.all().contains(NEW), "{}", ran.all());

    let ran = example_on(&fake, "create_group", &["app2", "A", "B", "--yes"])
        .env("B", "")
        .run()
        .ended_with(1);
    assert!(ran.stderr.contains("not set, or empty: A, B"), "{}", ran.stderr);

    let ran = example_on(&fake, "create_group", &["prod", "A", "--yes"])
        .env("A", NEW)
        .run()
        .ended_with(1);
    assert!(ran.stderr.contains("already exists"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: Use a different name"), "{}", ran.stderr);
    assert!(!ran.all().contains(NEW), "{}", ran.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_follow_the_rules_of_the_store() {
    let fake = fake().await.with_store(SecretStoreKind::AzureVault);
    // Two stores, and none is chosen.
    let mut create = example_on(&fake, "create_group", &["app", "DB_PASSWORD", "--yes"]);
    let ran = create.env("DB_PASSWORD", NEW).run().ended_with(2);
    assert!(ran.stderr.contains("--store aws") && ran.stderr.contains("--store azure"));
    assert_eq!(fake.groups(), ["prod"]);

    let mut create =
        example_on(&fake, "create_group", &["app", "--store", "azure", "DB_PASSWORD", "--yes"]);
    let ran = create.env("DB_PASSWORD", NEW).run().ended_with(0);
    assert!(ran.stderr.contains("DB-PASSWORD is used"), "{}", ran.stderr);
    assert_eq!(fake.keys("app"), ["DB-PASSWORD"]);

    let id = fake.store_id(&SecretStoreKind::AzureVault).unwrap();
    let mut create =
        example_on(&fake, "create_group", &["b", "--store", &id, "A_B:DB_PASSWORD", "--yes"]);
    let ran = create.env("DB_PASSWORD", NEW).run().ended_with(1);
    assert!(ran.stderr.contains("hint: Use the name A-B"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_touches_what_it_names_and_nothing_else() {
    let fake = fake().await;
    let arguments = ["prod", "DB_PASSWORD", "ADDED:DB_PASSWORD", "--remove", "API_KEY", "--yes"];
    let ran =
        example_on(&fake, "update_group", &arguments).env("DB_PASSWORD", NEW).run().ended_with(0);
    let plan = "+ ADDED  ~ DB_PASSWORD  - API_KEY  = 1 kept";
    assert!(ran.stderr.contains(&format!("plan:  {plan}\n")), "{}", ran.stderr);
    assert_eq!(ran.stdout, format!("prod: {plan}\n"));
    assert_eq!(fake.value("prod", "OTHER").as_deref(), Some(OLD));
    assert_eq!(fake.value("prod", "DB_PASSWORD").as_deref(), Some(NEW));
    assert_eq!(fake.value("prod", "API_KEY"), None);
    assert!(!ran.all().contains(OLD) && !ran.all().contains(NEW), "{}", ran.all());

    let everything =
        ["prod", "--remove", "ADDED", "--remove", "DB_PASSWORD", "--remove", "OTHER", "--yes"];
    let ran = example_on(&fake, "update_group", &everything).run().ended_with(1);
    assert!(ran.stderr.contains("at least one secret"), "{}", ran.stderr);
    example_on(&fake, "update_group", &["prod", "--remove", "nope", "--yes"]).run().ended_with(1);
    example_on(&fake, "update_group", &["prod", "--yes"]).run().ended_with(2);
    assert_eq!(fake.keys("prod").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_takes_one_secret_or_the_whole_group() {
    let fake = fake().await.with_group("dev", [("A", OLD)]);
    example_on(&fake, "delete", &["prod", "API_KEY", "--yes"]).run().ended_with(0);
    assert_eq!(fake.keys("prod"), ["DB_PASSWORD", "OTHER"]);
    example_on(&fake, "delete", &["prod", "nope", "--yes"]).run().ended_with(1);
    let ran = example_on(&fake, "delete", &["prod", "--yes"]).run().ended_with(0);
    assert!(ran.stderr.contains("- OTHER"), "{}", ran.stderr);
    assert_eq!(fake.groups(), ["dev"]);

    fake.set_store_failing(true);
    let ran = example_on(&fake, "delete", &["dev", "--yes"]).run().ended_with(1);
    assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    example_on(&fake, "delete", &["dev", "--yes", "--force"]).run().ended_with(0);
    assert!(fake.groups().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_and_without_yes_nothing_happens() {
    let fake = fake().await;
    for (program, arguments) in [
        ("create_group", vec!["app", "A"]),
        ("update_group", vec!["prod", "A"]),
        ("delete", vec!["prod"]),
        ("delete", vec!["prod", "OTHER"]),
    ] {
        let ran = example_on(&fake, program, &arguments).env("A", NEW).run().ended_with(3);
        assert!(
            ran.stderr.contains("stdin is not a terminal; pass --yes"),
            "{program}: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains("host:  127.0.0.1"), "{program}: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    let changes = |method: &str| method == "PUT" || method == "DELETE";
    assert!(!fake.requests().iter().any(|request| changes(request.method())));
    assert_eq!(fake.groups(), ["prod"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_looked_for_is_named() {
    let fake = FakeTrueFoundry::start().await;
    let ran = example_on(&fake, "list_groups", &[]).run().ended_with(0);
    assert!(ran.stderr.contains("No secret group on 127.0.0.1"), "{}", ran.stderr);
    let ran = example_on(&fake, "list_groups", &["--search=nope"]).run().ended_with(0);
    assert!(ran.stderr.contains("No secret group matches nope on 127.0.0.1"), "{}", ran.stderr);

    let fake = fake.with_group("prod", [("DB_PASSWORD", OLD)]);
    let ran = example_on(&fake, "inspect_secret", &["prod", "db_password"]).run().ended_with(1);
    assert!(ran.stderr.contains("the group prod has no key db_password"), "{}", ran.stderr);
    assert!(ran.stderr.contains("names are case-sensitive"), "{}", ran.stderr);
}
