//! The examples if only the login of the `tfy` CLI is configured.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::process::{Run, example, example_on};

/// Their arguments, in an order in which each finds what it needs. `quickstart` never uses a login,
/// and `fake_server` connects to nothing.
const PROGRAMS: [(&str, &[&str]); 12] = [
    ("list_groups", &[]),
    ("inspect_secret", &["prod", "DB_PASSWORD"]),
    ("create_group", &["app", "API_KEY", "--yes"]),
    ("update_group", &["app", "API_KEY", "--yes"]),
    ("resolve", &["my-tenant:prod:DB_PASSWORD"]),
    ("check_manifest", &["manifest.yaml"]),
    ("secrets_before_deploy", &["manifest.yaml", "--yes"]),
    ("run_with_secrets", &["--manifest", "manifest.yaml", "--", "true"]),
    ("zero_on_free", &[]),
    ("sync_env", &["prod", ".env", "--yes"]),
    ("copy_group", &["app", "copy", "--yes"]),
    ("delete", &["app", "--yes"]),
];
const MANIFEST: &str = "name: my-app\nenv:\n  OLD: tfy-secret://my-tenant:prod:DB_PASSWORD\n  NEW_PASSWORD: hunter2-hunter2\n";

fn home(credentials: &str) -> TempDir {
    let home = TempDir::new().unwrap();
    let folder = home.path().join(".truefoundry");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("credentials.json"), credentials).unwrap();
    fs::write(home.path().join("manifest.yaml"), MANIFEST).unwrap();
    fs::write(home.path().join(".env"), "ADDED=hunter4-hunter4\n").unwrap();
    home
}

fn at_home(home: &Path, mut command: Command) -> Command {
    command.env("HOME", home).env("USERPROFILE", home).current_dir(home);
    command
}

async fn fake() -> FakeTrueFoundry {
    FakeTrueFoundry::start().await.with_group("prod", [("DB_PASSWORD", "old-value-0123456789")])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_alone_runs_every_example_but_quickstart() {
    let fake = fake().await.with_token_lifetime(Duration::from_secs(60));
    // The first one refreshes it, on systems that support this.
    let home = home(&fake.login().credentials_json());
    let fake = fake.with_token_lifetime(Duration::from_secs(3600));
    let authority = fake.base_url().replace("http://", "");
    for (name, arguments) in PROGRAMS {
        let mut command = at_home(home.path(), example(name, arguments));
        command.env("API_KEY", "new-value-9876543210").env("NEW_PASSWORD", "hunter3-hunter3");
        let ran = command.env("PATH", std::env::var_os("PATH").unwrap()).run().ended_with(0);
        let wanted = format!(
            "Control plane: {authority}\nIdentity:      ada@example.com (user), tenant my-tenant\n"
        );
        assert!(ran.stderr.contains(&wanted), "{name}: {}", ran.stderr);
        assert!(!ran.stderr.contains("fake control plane"), "{name}: {}", ran.stderr);
        assert!(!fake.requests().is_empty(), "{name}");
        fake.clear_requests();
    }
    assert_eq!(fake.groups(), ["prod", "my-app-secrets", "copy"]);
}

#[test]
fn every_example_is_run_with_a_login() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    let name_of = |path: PathBuf| {
        let is_program =
            path.extension().is_some_and(|it| it == "rs") || path.join("main.rs").exists();
        is_program.then(|| path.file_stem().unwrap().to_str().unwrap().to_owned())
    };
    let mut examples: BTreeSet<_> =
        fs::read_dir(folder).unwrap().filter_map(|entry| name_of(entry.unwrap().path())).collect();
    assert!(examples.remove("quickstart") && examples.remove("fake_server"));
    let run: BTreeSet<_> = PROGRAMS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(run, examples);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_not_used_is_told() {
    let fake = fake().await;
    let home = home(&fake.login().credentials_json());
    let told =
        format!("The login of the tfy CLI for {} was found and is not used.", fake.base_url());
    for (name, arguments) in
        [("quickstart", &[][..]), ("quickstart", &["--fake"]), ("list_groups", &["--fake"])]
    {
        let ran = at_home(home.path(), example(name, arguments)).run().ended_with(0);
        assert!(ran.stderr.contains(&told), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("fake control plane"), "{name}: {}", ran.stderr);
    }
    assert_eq!(fake.request_count(), 0);
    let ran = example("list_groups", &[]).run().ended_with(0);
    assert!(!ran.stderr.contains("was found"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_wins_and_sources_are_not_mixed() {
    let (fake, other) = (fake().await, fake().await);
    let home = home(&other.login().credentials_json());
    at_home(home.path(), example_on(&fake, "list_groups", &[])).run().ended_with(0);
    assert_eq!(other.request_count(), 0);
    let ran =
        at_home(home.path(), example_on(&fake, "list_groups", &["--fake"])).run().ended_with(0);
    assert!(ran.stderr.contains("--fake was given"), "{}", ran.stderr);

    fake.clear_requests();
    let mut command = at_home(home.path(), example("list_groups", &[]));
    let ran = command.env("TFY_API_KEY", fake.api_key()).run().ended_with(1);
    assert!(ran.stderr.contains("TFY_API_KEY is set, but none of TFY_BASE_URL"), "{}", ran.stderr);
    let mut command = at_home(home.path(), example("list_groups", &[]));
    let ran = command.env("TFY_HOST", fake.base_url()).run().ended_with(1);
    assert!(ran.stderr.contains(&other.base_url()), "{}", ran.stderr);
    assert_eq!(fake.request_count() + other.request_count(), 0);
    let mut command = at_home(home.path(), example("list_groups", &[]));
    command.env("TFY_HOST", other.base_url()).run().ended_with(0);
}

#[test]
fn a_login_that_cannot_be_used_is_an_error_and_not_a_reason_for_the_fake() {
    let home = home("{");
    let ran = at_home(home.path(), example("list_groups", &[])).run().ended_with(1);
    assert!(
        ran.stderr.contains("is not what `tfy login` writes: run `tfy login"),
        "{}",
        ran.stderr
    );
    let ran = at_home(home.path(), example("list_groups", &["--fake"])).run().ended_with(0);
    assert!(ran.stderr.contains("A file of a login of the tfy CLI was found"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_is_not_told_or_refused_is_told() {
    let fake = fake().await.without_session();
    let ran = example_on(&fake, "list_groups", &[]).run().ended_with(0);
    assert!(
        ran.stderr.contains("Identity:      not reported by this control plane"),
        "{}",
        ran.stderr
    );
    let fake = FakeTrueFoundry::start().await;
    let ran = example_on(&fake, "list_groups", &[]).env("TFY_API_KEY", "wrong").run().ended_with(1);
    assert!(ran.stderr.contains("the control plane rejected the API key"), "{}", ran.stderr);
    assert_eq!(fake.request_count(), 1);
}
