//! `secrets_before_deploy`, from the manifest to the references.

use std::path::PathBuf;

use serde_json::Value;
use truefoundry_secrets::SecretStoreKind;
use truefoundry_secrets::testing::FakeTrueFoundry;

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

    fn run(&self, fake: &FakeTrueFoundry, arguments: &[&str]) -> Ran {
        let mut all = vec![self.0.to_str().unwrap()];
        all.extend(arguments);
        let mut command = example_on(fake, "secrets_before_deploy", &all);
        for name in ["DB_PASSWORD", "API_KEY", "CERT"] {
            command.env(name, format!("from-the-environment-{name}"));
        }
        let ran = command.run();
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
async fn with_several_stores_somebody_has_to_choose() {
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
        "name: a\nenv:\n  - {name: DB_PASSWORD, value: in-the-clear}\n",
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
