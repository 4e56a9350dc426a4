//! `secrets_before_deploy`, from the manifest to the references.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use truefoundry_secrets::SecretStoreKind;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};

use crate::process::{Ran, Run, example, example_on};

const MANIFEST: &str = "\
# deployed every day
name: my-app
type: service
image: {type: image, image_uri: 'docker.io/myorg/my-app:latest'}  # pinned elsewhere
env:
  LOG_LEVEL: info
  DB_PASSWORD: in-the-clear-1  # rotate
  API_KEY: \"in-the-clear-2\"
  OLD: tfy-secret://my-org:shared:OLD_PASSWORD
  CERT: |
    -----BEGIN PRIVATE KEY-----
    in-the-clear-3
    -----END PRIVATE KEY-----
replicas: 2
";

/// A file that is gone when the test ends.
struct Manifest(PathBuf);

impl Manifest {
    fn new(text: &str) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("manifest-{}-{number}.yaml", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn command(&self, fake: &FakeTrueFoundry, arguments: &[&str]) -> Command {
        let mut all = vec![self.0.to_str().unwrap()];
        all.extend(arguments);
        let mut command = example_on(fake, "secrets_before_deploy", &all);
        for name in ["DB_PASSWORD", "API_KEY", "CERT"] {
            command.env(name, format!("from-the-environment-{name}"));
        }
        command
    }

    fn run(&self, fake: &FakeTrueFoundry, arguments: &[&str]) -> Ran {
        let ran = self.command(fake, arguments).run();
        assert!(!ran.all().contains("from-the-environment"), "{}", ran.all());
        assert!(!ran.stderr.contains("in-the-clear"), "{}", ran.stderr);
        ran
    }
}

impl Drop for Manifest {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_comes_out_with_references_and_else_the_same() {
    let fake = FakeTrueFoundry::start().await;
    let ran = Manifest::new(MANIFEST).run(&fake, &["--store", "aws", "--yes"]).ended_with(0);

    let mut expected = yaml(MANIFEST);
    for key in ["DB_PASSWORD", "API_KEY", "CERT"] {
        expected["env"][key] = format!("tfy-secret://my-tenant:my-app-secrets:{key}").into();
    }
    assert_eq!(yaml(&ran.stdout), expected);
    assert!(!ran.stdout.contains("in-the-clear"), "{}", ran.stdout);
    for comment in ["# deployed every day", "# pinned elsewhere", "  # rotate"] {
        assert!(ran.stdout.contains(comment), "{}", ran.stdout);
    }
    for key in ["DB_PASSWORD", "API_KEY", "CERT"] {
        let value = fake.value("my-app-secrets", key);
        assert_eq!(value, Some(format!("from-the-environment-{key}")));
    }
    assert!(ran.stderr.contains("tfy apply -f"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_several_stores_the_user_has_to_choose() {
    let fake = FakeTrueFoundry::start()
        .await
        .with_store(SecretStoreKind::AwsSecretsManager)
        .with_store(SecretStoreKind::AwsParameterStore)
        .with_store(SecretStoreKind::AzureVault);
    let manifest = Manifest::new(MANIFEST);
    for arguments in
        [vec!["--yes"], vec!["--store", "aws", "--yes"], vec!["--store", "gcp", "--yes"]]
    {
        let ran = manifest.run(&fake, &arguments).ended_with(2);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains("AWS Parameter Store"), "{}", ran.stderr);
    }
    assert!(fake.groups().is_empty());

    let ran = manifest.run(&fake, &["--store", "azure", "--group", "g", "--yes"]).ended_with(0);
    assert_eq!(yaml(&ran.stdout)["env"]["DB_PASSWORD"], "tfy-secret://my-tenant:g:DB-PASSWORD");
    assert!(ran.stderr.contains("DB-PASSWORD is used"), "{}", ran.stderr);
    assert_eq!(fake.keys("g"), ["DB-PASSWORD", "API-KEY", "CERT"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_printed_or_created_without_consent() {
    let fake = FakeTrueFoundry::start().await;
    let ran = Manifest::new(MANIFEST).run(&fake, &[]).ended_with(3);
    assert_eq!(ran.stdout, "");
    assert!(fake.groups().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_can_be_corrected() {
    let fake = FakeTrueFoundry::start().await;
    let manifest = Manifest::new(MANIFEST);
    let arguments = ["--not", "API_KEY", "--not", "CERT", "--yes"];
    let ran = manifest.run(&fake, &arguments).ended_with(0);
    assert_eq!(fake.keys("my-app-secrets"), ["DB_PASSWORD"]);
    assert!(ran.stdout.contains("API_KEY: \"in-the-clear-2\""), "{}", ran.stdout);
    // Its value comes from a variable that is not set.
    let ran = manifest.run(&fake, &["--group", "g", "--also", "LOG_LEVEL", "--yes"]).ended_with(1);
    assert!(ran.stderr.contains("not set, or empty: LOG_LEVEL"), "{}", ran.stderr);
    manifest.run(&fake, &["--not", "NO_SUCH", "--yes"]).ended_with(1);
    assert_eq!(fake.groups(), ["my-app-secrets"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_without_secrets_comes_out_as_it_is() {
    let fake = FakeTrueFoundry::start().await;
    let text = "name: a\r\nenv: {LOG_LEVEL: info}";
    let ran = Manifest::new(text).run(&fake, &[]).ended_with(0);
    assert_eq!(ran.stdout, text);
    assert_eq!(fake.request_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_is_not_understood_creates_nothing() {
    let fake = FakeTrueFoundry::start().await;
    for text in [
        "name: a\nx: &p in-the-clear\nenv:\n  DB_PASSWORD: *p\n",
        "name: a\nenv:\n  DB_PASSWORD: \"in-the-clear\n",
        "name: a\nenv: {DB_PASSWORD: in-the-clear-1}\nc: {env: {DB_PASSWORD: in-the-clear-2}}\n",
    ] {
        let ran = Manifest::new(text).run(&fake, &["--yes"]).ended_with(1);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    }
    assert!(fake.groups().is_empty());
    example("secrets_before_deploy", &["/no/such/file", "--yes"]).run().ended_with(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_stands_elsewhere_is_pointed_out() {
    let fake = FakeTrueFoundry::start().await;
    let text = "name: a\n# was in-the-clear-1\nenv:\n  DB_PASSWORD: in-the-clear-1\n";
    let ran = Manifest::new(text).run(&fake, &["--yes"]).ended_with(0);
    assert!(ran.stderr.contains("still stands in line 2"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_runs_end_equally() {
    let fake = FakeTrueFoundry::start().await;
    let manifest = Manifest::new(MANIFEST);
    let first = manifest.run(&fake, &["--yes"]).ended_with(0);
    fake.clear_requests();
    // Nothing is changed, so nothing has to be confirmed.
    for arguments in [&["--yes"][..], &[]] {
        let again = manifest.run(&fake, arguments).ended_with(0);
        assert_eq!(again.stdout, first.stdout);
        assert!(again.stderr.contains("keep their values"), "{}", again.stderr);
    }
    let reads = |method: &str, path: &str| method == "GET" || path.ends_with("/v1/secrets");
    assert!(fake.requests().iter().all(|request| reads(request.method(), request.path())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_exists_is_completed_and_else_left_untouched() {
    let fake = FakeTrueFoundry::start()
        .await
        .with_group("my-app-secrets", [("API_KEY", "another-value"), ("OTHER", "x")]);
    let manifest = Manifest::new(MANIFEST);
    let ran = manifest.run(&fake, &[]).ended_with(3);
    assert!(ran.stderr.contains("Add keys to a secret group"), "{}", ran.stderr);
    let ran = manifest.run(&fake, &["--yes"]).ended_with(0);
    assert!(ran.stderr.contains("they keep their values"), "{}", ran.stderr);
    assert_eq!(fake.keys("my-app-secrets"), ["API_KEY", "OTHER", "DB_PASSWORD", "CERT"]);
    assert_eq!(fake.value("my-app-secrets", "API_KEY").as_deref(), Some("another-value"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_comes_out_also_if_stderr_has_no_reader() {
    let fake = FakeTrueFoundry::start().await;
    let manifest = Manifest::new(MANIFEST);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = manifest.command(&fake, &["--yes"]);
    let output = command.stdout(Stdio::piped()).stderr(writer).spawn().unwrap();
    let output = output.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let expected = manifest.run(&fake, &["--yes"]).stdout;
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

/// A manifest and the folder that it is in.
fn folder() -> (tempfile::TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (manifest, out) = (path("app.yaml"), path("app.deploy.yaml"));
    fs::write(&manifest, MANIFEST).unwrap();
    (folder, manifest, out)
}

fn deploy(fake: &FakeTrueFoundry, arguments: &[&str]) -> Ran {
    let mut command = example_on(fake, "secrets_before_deploy", arguments);
    for name in ["DB_PASSWORD", "API_KEY", "CERT"] {
        command.env(name, "from-the-environment");
    }
    command.run()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_written_whole_and_only_on_success() {
    let fake = FakeTrueFoundry::start().await;
    let (folder, manifest, out) = folder();
    fs::write(&out, "of yesterday").unwrap();
    fake.inject(Fault::status(403).on("secret_groups.create"));
    for (arguments, code) in [(&["--yes"][..], 1), (&[], 3), (&["--yes", "--not", "NO_SUCH"], 1)] {
        let arguments = [&[manifest.as_str(), "--out", &out], arguments].concat();
        deploy(&fake, &arguments).ended_with(code);
        assert_eq!(fs::read_to_string(&out).unwrap(), "of yesterday");
    }
    assert!(fake.groups().is_empty());

    let ran = deploy(&fake, &[&manifest, "--out", &out, "--yes"]).ended_with(0);
    assert_eq!(ran.stdout, "");
    let written = fs::read_to_string(&out).unwrap();
    assert!(written.contains("DB_PASSWORD: tfy-secret://my-tenant:my-app-secrets:DB_PASSWORD"));
    assert_eq!(deploy(&fake, &[&manifest, "--yes"]).ended_with(0).stdout, written);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "temporary files");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_is_told_before_anything_is_created() {
    let fake = FakeTrueFoundry::start().await;
    let (folder, manifest, _) = folder();
    let missing = folder.path().join("no/such/folder.yaml");
    for (out, code) in [
        (missing.to_str().unwrap(), 1),
        (folder.path().to_str().unwrap(), 2),
        (manifest.as_str(), 2),
        ("/dev/null", 2),
    ] {
        deploy(&fake, &[&manifest, "--out", out, "--yes"]).ended_with(code);
    }
    assert_eq!(fs::read_to_string(&manifest).unwrap(), MANIFEST);
    assert_eq!(fake.request_count(), 0);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_keeps_its_permissions_and_a_link_stays_one() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let fake = FakeTrueFoundry::start().await;
    let (folder, manifest, out) = folder();
    fs::write(&out, "of yesterday").unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link.yaml");
    symlink(&out, &link).unwrap();
    deploy(&fake, &[&manifest, "--out", link.to_str().unwrap(), "--yes"]).ended_with(0);
    assert!(link.is_symlink());
    assert!(fs::read_to_string(&out).unwrap().contains("tfy-secret://my-tenant:my-app-secrets:"));
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o640);
    // A new file gets the same permissions as those of other programs.
    let new = folder.path().join("new.yaml");
    deploy(&fake, &[&manifest, "--out", new.to_str().unwrap(), "--yes"]).ended_with(0);
    let usual = fs::metadata(&manifest).unwrap().permissions().mode();
    assert_eq!(fs::metadata(&new).unwrap().permissions().mode(), usual);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_reference_creates_nothing() {
    let fake = FakeTrueFoundry::start().await;
    for value in [
        "tfy-secret://made-up-group/API_KEY",
        "tfy-secret://made-up-group:API_KEY",
        "'\"tfy-secret://my-org:app:KEY\"'",
        "\" tfy-secret://my-org:app:KEY\"",
        "tfy-secret:/my-org:app:KEY",
        "tfy-secret://my-org:app:KEY\u{a0}",
    ] {
        let text = format!("name: a\nenv:\n  DB_PASSWORD: x\n  URL: {value}\n");
        let manifest = Manifest::new(&text);
        let ran = manifest.run(&fake, &["--store", "aws", "--yes"]).ended_with(1);
        assert_eq!(ran.stdout, "", "{value}");
        let place = format!("| {}:4 | URL ", manifest.0.to_str().unwrap());
        assert!(ran.stderr.contains(&place), "{value}: {}", ran.stderr);
        assert!(!ran.all().contains("made-up-group"), "{}", ran.all());
    }
    assert_eq!(fake.request_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_own_key_is_no_secret_of_the_workload() {
    let fake = FakeTrueFoundry::start().await;
    let text =
        "name: made-up\nenv:\n  TFY_API_KEY: made-up-old-app-key\n  PATH: /app/bin\n  LOG: info\n";
    let manifest = Manifest::new(text);
    for also in [&[][..], &["--also", "PATH", "--not", "TFY_API_KEY"]] {
        let arguments = [&["--store", "aws", "--yes"], also].concat();
        let mut command = manifest.command(&fake, &arguments);
        let ran = command.env("PATH", "/usr/bin").run().ended_with(2);
        assert!(ran.stderr.contains("--from NAME:VARIABLE"), "{}", ran.stderr);
        assert!(ran.stderr.contains("--not"), "{}", ran.stderr);
        assert!(ran.stdout.is_empty() && !ran.all().contains(fake.api_key()), "{}", ran.all());
    }
    assert!(fake.groups().is_empty());

    let ran = manifest.run(&fake, &["--yes", "--not", "TFY_API_KEY"]).ended_with(0);
    assert_eq!(ran.stdout, text);
    let arguments = ["--yes", "--from", "TFY_API_KEY:DB_PASSWORD", "--from=LOG:API_KEY"];
    let ran = manifest.run(&fake, &arguments).ended_with(0);
    assert_eq!(yaml(&ran.stdout)["env"]["LOG"], "tfy-secret://my-tenant:made-up-secrets:LOG");
    let value = fake.value("made-up-secrets", "TFY_API_KEY");
    assert_eq!(value.as_deref(), Some("from-the-environment-DB_PASSWORD"));
    for from in ["TFY_API_KEY", "TFY_API_KEY:", ":X", "TFY_API_KEY:hunter2-hunter2"] {
        let ran = manifest.run(&fake, &["--yes", "--from", from]).ended_with(2);
        assert!(!ran.all().contains("hunter2"), "{}", ran.all());
    }
    manifest.run(&fake, &["--yes", "--from", "NO_SUCH:API_KEY"]).ended_with(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_is_stored_as_no_value() {
    let fake = FakeTrueFoundry::start().await;
    let manifest = Manifest::new("name: a\nenv: {DB_PASSWORD: x}\n");
    let mut command = manifest.command(&fake, &["--yes"]);
    let ran = command.env("DB_PASSWORD", "tfy-secret://my-org:other:TOKEN").run().ended_with(1);
    assert!(ran.stdout.is_empty() && !ran.all().contains("my-org:other"), "{}", ran.all());
    assert!(ran.stderr.contains("it is a reference"), "{}", ran.stderr);
    assert!(fake.groups().is_empty());
}
