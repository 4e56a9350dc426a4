//! Values that are found by a key's name, or typed in place of a value, and mean something else.

use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::process::{Run, example_on};

const OLD: &str = "old-value-0123456789";
const NEW: &str = "new-value-9876543210";

async fn fake() -> FakeTrueFoundry {
    FakeTrueFoundry::start()
        .await
        .with_group("prod", [("DB_PASSWORD", OLD), ("API_KEY", OLD), ("OTHER", OLD)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_means_something_else_is_read_only_if_it_is_named() {
    let fake = fake().await;
    for (key, what) in [
        ("TFY_API_KEY", "this program's own API key"),
        ("TFY-API-KEY", "this program's own API key"),
        ("TFY_HOST", "a setting of this program"),
        ("HTTPS_PROXY", "network"),
        ("PATH", "shell"),
        ("HOME", "shell"),
        ("USER", "shell"),
        ("LC_ALL", "language"),
        ("SSH_AUTH_SOCK", "SSH"),
    ] {
        for (program, group) in [("create_group", "app"), ("update_group", "prod")] {
            let mut command = example_on(&fake, program, &[group, "API_KEY", key, "--yes"]);
            if !key.contains("TFY") && key != "HTTPS_PROXY" {
                command.env(key, NEW);
            }
            let ran = command.env("API_KEY", NEW).run().ended_with(2);
            assert!(ran.stderr.contains(what), "{key}: {}", ran.stderr);
            assert!(ran.stderr.contains("KEY:VARIABLE"), "{key}: {}", ran.stderr);
            assert!(!ran.all().contains(fake.api_key()), "{key}: {}", ran.all());
        }
    }
    assert_eq!(fake.groups(), ["prod"]);
    assert_eq!(fake.value("prod", "API_KEY").as_deref(), Some(OLD));

    let arguments = ["app", "TFY_API_KEY:APP_KEY", "HOME:HOME", "--yes"];
    let mut command = example_on(&fake, "create_group", &arguments);
    command.env("APP_KEY", NEW).env("HOME", OLD).run().ended_with(0);
    assert_eq!(fake.value("app", "TFY_API_KEY").as_deref(), Some(NEW));
    assert_eq!(fake.value("app", "HOME").as_deref(), Some(OLD));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_is_stored_as_no_value() {
    let fake = fake().await;
    for text in ["tfy-secret://my-org:other:TOKEN", "\"tfy-secret://my-org:other:TOKEN\"\n"] {
        for (program, group) in [("create_group", "app"), ("update_group", "prod")] {
            let mut command = example_on(&fake, program, &[group, "TOKEN", "--yes"]);
            let ran = command.env("TOKEN", text).run().ended_with(1);
            assert!(ran.stderr.contains("value of \"TOKEN\": it is a reference"), "{}", ran.stderr);
            assert!(!ran.all().contains("my-org:other"), "{}", ran.all());
        }
    }
    assert_eq!((fake.groups().len(), fake.keys("prod").len()), (1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_break_at_the_end_of_a_line_is_noted_and_kept() {
    let fake = fake().await;
    let note = "the value of TOKEN ends in a line break";
    for (number, (value, is_noted)) in [
        ("made-up-token-value\n", true),
        ("made-up-token-value\r\n", true),
        ("made-up-token-value", false),
        ("-----BEGIN X-----\nabc\n-----END X-----\n", false),
    ]
    .into_iter()
    .enumerate()
    {
        let group = format!("app-{number}");
        let mut command = example_on(&fake, "create_group", &[&group, "TOKEN", "--yes"]);
        let ran = command.env("TOKEN", value).run().ended_with(0);
        assert_eq!(ran.stderr.contains(note), is_noted, "{}", ran.stderr);
        assert_eq!(fake.value(&group, "TOKEN").as_deref(), Some(value));
    }
}
