//! `sync_env` and `copy_group`.

use serde_json::{Value, json};
use tempfile::TempDir;
use truefoundry_secrets::SecretStoreKind;
use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::process::{Ran, Run, example_on};

const VALUE: &str = "made-up-value-0123456789";

struct Stage {
    fake: FakeTrueFoundry,
    folder: TempDir,
}

impl Stage {
    async fn new(keys: &[&str]) -> Self {
        let fake = FakeTrueFoundry::start()
            .await
            .without_stores()
            .with_store(SecretStoreKind::AwsSecretsManager)
            .with_group("prod", keys.iter().map(|key| (*key, VALUE)))
            .with_store(SecretStoreKind::AzureVault);
        Self { fake, folder: TempDir::new().unwrap() }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[track_caller]
    fn sync(&self, text: &str, more: &[&str], code: i32) -> Ran {
        let file = self.file(".env", text);
        let arguments = [&["prod", &file], more].concat();
        let ran = example_on(&self.fake, "sync_env", &arguments).run().ended_with(code);
        assert!(!ran.all().contains("made-up"), "{}", ran.all());
        ran
    }

    fn writes(&self) -> usize {
        let writes = |name: &str| name == "PUT" || name == "DELETE";
        self.fake.requests().iter().filter(|request| writes(request.method())).count()
    }
}

fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_brought_to_what_a_file_says_and_a_second_run_changes_nothing() {
    let stage = Stage::new(&["A", "B", "C"]).await;
    let text = format!("A={VALUE}\nB=made-up-too\nNEW='made-up'\n");
    let report = |applied: bool, removed: &[&str], kept: &[&str]| {
        json!({
            "applied": applied, "group": "prod", "creates_group": false,
            "added": ["NEW"], "rotated": ["B"], "removed": removed, "kept": kept,
        })
    };
    let planned = stage.sync(&text, &["--plan", "--prune", "--output", "json"], 0);
    assert_eq!(json_of(&planned), report(false, &["C"], &["A"]));
    assert_eq!(stage.sync(&text, &["--plan"], 0).stdout, "prod: + NEW  ~ B  = 2 unchanged\n");
    let asked = stage.sync(&text, &["--prune"], 3);
    assert!(
        asked.stderr.contains("plan:  prod: + NEW  ~ B  - C  = 1 unchanged"),
        "{}",
        asked.stderr
    );
    assert_eq!(stage.writes(), 0);

    let done = stage.sync(&text, &["--yes", "--output", "json"], 0);
    assert_eq!(json_of(&done), report(true, &[], &["A", "C"]));
    assert_eq!(stage.fake.value("prod", "NEW").as_deref(), Some("made-up"));
    assert_eq!(stage.writes(), 1);
    let again = stage.sync(&text, &["--output", "json"], 0);
    assert_eq!(json_of(&again)["applied"], false);
    assert_eq!(stage.sync(&text, &[], 0).stdout, "prod: nothing to change  = 4 unchanged\n");
    stage.sync(&text, &["--prune", "--yes"], 0);
    assert_eq!(stage.fake.keys("prod"), ["A", "B", "NEW"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_names_are_escaped_in_json() {
    let stage = Stage::new(&["A\u{202e}\u{1b}\u{7f}😀é"]).await;
    let ran = stage.sync(&format!("A={VALUE}\n"), &["--plan", "--output", "json"], 0);
    assert!(ran.stdout.is_ascii() && !ran.stdout.trim_end().contains(|c: char| c.is_control()));
    assert_eq!(json_of(&ran)["kept"], json!(["A\u{202e}\u{1b}\u{7f}😀é"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_would_remove_most_keys_is_asked_about_again() {
    let stage = Stage::new(&["A", "B", "C", "D"]).await;
    let text = format!("A={VALUE}\n");
    let ran = stage.sync(&text, &["--prune", "--yes"], 3);
    assert!(ran.stderr.contains("3 of 4 keys would be removed"), "{}", ran.stderr);
    let ran = stage.sync("# nothing\n", &["--prune", "--prune-most", "--yes"], 1);
    assert!(ran.stderr.contains("cannot be left without secrets"), "{}", ran.stderr);
    assert_eq!(stage.writes(), 0);
    stage.sync(&text, &["--prune", "--prune-most", "--yes"], 0);
    assert_eq!(stage.fake.keys("prod"), ["A"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_created_only_where_a_store_is_named() {
    let stage = Stage::new(&["A"]).await;
    let file = stage.file(".env", "A-B=made-up\n");
    let create = |store: &[&str]| {
        let arguments = [&["new", &file, "--yes"], store].concat();
        example_on(&stage.fake, "sync_env", &arguments).run()
    };
    assert!(create(&[]).ended_with(1).stderr.contains("\"new\" not found"));
    let created = create(&["--store", "azure"]).ended_with(0);
    assert_eq!(created.stdout, "new: new group  + A-B\n");
    assert_eq!(create(&[]).ended_with(0).stdout, "new: nothing to change  = 1 unchanged\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_copied_with_new_names_and_the_manifest_follows() {
    let stage = Stage::new(&["DB_PASSWORD", "TOKEN"]).await;
    let manifest = "env: # kept\n  A: \"tfy-secret://my-tenant:prod:DB_PASSWORD\"\n  \
                    B: 'tfy-secret://my-tenant:prod:TOKEN'\n  C: tfy-secret://my-tenant:other:TOKEN\n  \
                    D: tfy-secret://my-tenant:prod:${KEY}\n";
    let expected = manifest
        .replace("prod:DB_PASSWORD", "prod-az:DB-PASSWORD")
        .replace("prod:TOKEN", "prod-az:TOKEN");
    let path = stage.file("app.yaml", manifest);
    let out = stage.folder.path().join("app.az.yaml");
    let copy = |more: &[&str]| {
        let options = ["prod", "prod-az", "--store", "azure", "--manifest", &path];
        let ran = example_on(&stage.fake, "copy_group", &[&options, more].concat()).run();
        assert!(!ran.all().contains("made-up"), "{}", ran.all());
        ran
    };
    let asked = copy(&[]).ended_with(3);
    for part in ["prod-az: new group  + DB-PASSWORD  + TOKEN", "DB_PASSWORD | DB-PASSWORD", "Azure"]
    {
        assert!(asked.stderr.contains(part), "{part}: {}", asked.stderr);
    }
    assert!(!asked.stderr.contains("TOKEN | TOKEN") && asked.stdout.is_empty());
    assert_eq!(stage.fake.groups(), ["prod"]);

    let copied = copy(&["--yes", "--out", out.to_str().unwrap()]).ended_with(0);
    assert!(copied.stderr.contains("left as it is: line 5, column 6"), "{}", copied.stderr);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), expected);
    assert_eq!(stage.fake.value("prod-az", "DB-PASSWORD").as_deref(), Some(VALUE));
    // It does not ask if nothing would change.
    assert_eq!(copy(&[]).ended_with(0).stdout, expected);
    assert_eq!(stage.fake.version("prod-az", "DB-PASSWORD"), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_cannot_be_written_down_is_not_begun() {
    let stage = Stage::new(&["A_B", "A-B"]).await;
    let copy = |more: &[&str]| {
        let arguments = [&["prod", "copy", "--yes"], more].concat();
        example_on(&stage.fake, "copy_group", &arguments).run()
    };
    let clash = copy(&["--store", "azure"]).ended_with(1);
    assert!(clash.stderr.contains("would both be"), "{}", clash.stderr);
    let path = stage.file("app.sh", "run --password tfy-secret://my-tenant:prod:A_B now\n");
    let arguments = ["prod", "a copy", "--yes", "--store", "aws", "--manifest", &path];
    let unwritable = example_on(&stage.fake, "copy_group", &arguments).run().ended_with(1);
    assert!(unwritable.stderr.contains("line 1, column 16"), "{}", unwritable.stderr);
    for wrong in [&["--out", "x"][..], &["--store"], &["more"]] {
        copy(wrong).ended_with(2);
    }
    assert_eq!(stage.fake.groups(), ["prod"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_manifest_still_names_of_the_old_group_is_told() {
    let stage = Stage::new(&["A"]).await;
    let manifest = "A: tfy-secret://my-tenant:prod:A\nB: tfy-secret://my-tenant:prod:GONE\n\
                    C: tfy-secret://my-tenant:prod-2:A\n";
    let path = stage.file("app.yaml", manifest);
    let arguments = ["prod", "copy", "--yes", "--store", "aws", "--manifest", &path];
    let copied = example_on(&stage.fake, "copy_group", &arguments).run().ended_with(0);
    assert_eq!(copied.stdout, manifest.replace("prod:A", "copy:A"));
    let told = "warning: left as it is: line 2, column 4: tfy-secret://my-tenant:prod:GONE";
    assert!(copied.stderr.contains(told), "{}", copied.stderr);
    assert_eq!(copied.stderr.matches("warning:").count(), 1, "{}", copied.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_into_a_group_of_another_store_is_refused() {
    let stage = Stage::new(&["A_B"]).await;
    let copy = |store: &str| {
        let arguments = ["prod", "copy", "--yes", "--store", store];
        example_on(&stage.fake, "copy_group", &arguments).run()
    };
    copy("aws").ended_with(0);
    let writes = stage.fake.request_count();
    let other = copy("azure").ended_with(1);
    assert!(other.stderr.contains("copy is in another store"), "{}", other.stderr);
    assert_eq!(stage.fake.keys("copy"), ["A_B"]);
    assert!(stage.fake.requests()[writes..].iter().all(|request| request.method() != "PUT"));
}
