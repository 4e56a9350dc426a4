//! What `secrets_before_deploy` finds at places that were not named, and what it does with what cannot be moved.

use std::fs;

use proptest::prelude::*;
use serde_json::Value;
use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::process::{Ran, Run, example, example_on};

struct Bed {
    fake: FakeTrueFoundry,
    folder: tempfile::TempDir,
}

impl Bed {
    async fn new() -> Self {
        Self { fake: FakeTrueFoundry::start().await, folder: tempfile::tempdir().unwrap() }
    }

    /// Runs with these variables set. Values may appear on stdout only.
    fn run(&self, text: &str, arguments: &[&str], variables: &[&str]) -> Ran {
        let path = self.folder.path().join("made.yaml");
        fs::write(&path, text).unwrap();
        let arguments = [&[path.to_str().unwrap(), "--group", "g", "--yes"], arguments].concat();
        let mut command = example_on(&self.fake, "secrets_before_deploy", &arguments);
        for variable in variables {
            command.env(variable, "from-the-environment");
        }
        let ran = command.run();
        assert!(!ran.all().contains("from-the-environment"), "{}", ran.all());
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
        ran
    }

    /// Nothing may be created or written, and each place is named with its line and path.
    fn refuses(&self, text: &str, places: &[(usize, &str, &str)]) {
        let out = self.folder.path().join("out.yaml");
        let ran = self.run(text, &["--out", out.to_str().unwrap()], &["DB_PASSWORD"]).ended_with(1);
        for (line, path, why) in places {
            let is_it = |row: &&str| {
                row.contains(&format!("made.yaml:{line} ")) && row.contains(&format!(" {path} "))
            };
            let row =
                ran.stderr.lines().find(is_it).unwrap_or_else(|| panic!("{path}: {}", ran.stderr));
            assert!(row.contains(why), "{why}: {row}");
        }
        assert!(ran.stderr.contains(&format!("{} place(s)", places.len())), "{}", ran.stderr);
        assert!(!ran.all().contains("tfy apply"), "{}", ran.all());
        assert!(ran.stdout.is_empty() && !out.exists() && self.fake.request_count() == 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_and_cannot_be_moved_is_named_and_nothing_is_created() {
    let bed = Bed::new().await;
    bed.refuses(
        "env: {DB_PASSWORD: x}\nspec:\n  args:\n  - --password=hunter2\n  - sh -c 'TOKEN=hunter2 run'\n",
        &[(4, "spec.args[0]", "part of a longer text"), (5, "spec.args[1]", "part of a longer text")],
    );
    bed.refuses(
        "x: &p hunter2\npassword: &q hunter2\nenv:\n  DB_PASSWORD: *p\n  A_TOKEN: !!str hunter2\n",
        &[
            (2, "password", "an anchor"),
            (4, "env.DB_PASSWORD", "an alias"),
            (5, "env.A_TOKEN", "a tag"),
        ],
    );
    bed.refuses(
        "kind: Secret\ndata: {user: aHVudGVyMg==}\n---\nx: &x {a: b}\nkind: Secret\nstringData:\n  <<: *x\n",
        &[(2, "data.user", "Base64"), (7, "stringData.\"<<\"", "an alias")],
    );
    bed.refuses(
        "kind: ConfigMap\ndata:\n  app.ini: |\n    [db]\n    password = hunter2\n",
        &[(4, "data.\"app.ini\"", "a line of it sets a secret")],
    );
    bed.refuses("x: &l [hunter2]\ntokens: *l\nports: *l\n", &[(2, "tokens", "an alias")]);
    bed.refuses("? ghp_madeupmadeupmadeupmadeup\n: x\n", &[(1, "(name)", "known kind of token")]);
    bed.refuses(
        "a: [{b: 'see https://u:hunter2@h and more'}]\n",
        &[(1, "a[0].b", "a URL with a password")],
    );
    bed.refuses(
        "h: {Authorization: Bearer tfy-secret://group/KEY}\n",
        &[(1, "h.Authorization", "`/` instead of `:`")],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_moved_stays_if_that_is_said() {
    let bed = Bed::new().await;
    let text = "name: n\nargs: [--password=hunter2]\nenv: {DB_PASSWORD: x}\n";
    let ran = bed.run(text, &["--not", "args[0]"], &["DB_PASSWORD"]).ended_with(0);
    let expected = text.replace("PASSWORD: x", "PASSWORD: tfy-secret://my-tenant:g:DB_PASSWORD");
    assert_eq!(ran.stdout, expected);
    assert!(ran.stderr.contains("tfy apply"), "{}", ran.stderr);
    // A path, a variable and a name all work, and `--from` moves a longer text, too.
    let arguments = ["--not", "DB_PASSWORD", "--from", "args[0]:DB_PASSWORD"];
    let ran = bed.run(text, &arguments, &["DB_PASSWORD"]).ended_with(0);
    assert_eq!(ran.stdout, text.replace("--password=hunter2", "tfy-secret://my-tenant:g:ARGS_0"));
    bed.run(text, &["--not", "args[1]"], &[]).ended_with(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_step_is_not_to_deploy_what_still_holds_a_secret() {
    let bed = Bed::new().await;
    for (text, place) in [
        ("env: {DB_PASSWORD: hunter2-hunter2}\n# hunter2-hunter2\n", "line 2 of"),
        (
            "env: {DB_PASSWORD: hunter2-hunter2}\nargs:\n- -p=hunter2-hunter2\n",
            "line 3 (args[0]) of",
        ),
        ("env: {DB_PASSWORD: made-up-made-up}\nmade-up-made-up: a\n", "line 2 (a name, "),
        ("env: {DB_PASSWORD: x}\n# was ghp_madeupmadeupmadeupmadeup\n", "comment on line 2"),
        ("env: {A: x}\n# postgres://u:hunter2@h\n", "comment on line 2"),
    ] {
        let ran = bed.run(text, &[], &["DB_PASSWORD"]).ended_with(0);
        assert!(ran.stderr.contains("warning: ") && ran.stderr.contains(place), "{}", ran.stderr);
        assert!(!ran.stderr.contains("tfy apply"), "{}", ran.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_place_are_judged_by_the_same_rules() {
    let bed = Bed::new().await;
    let secrets = [
        ("DB_PASSWORD", "x"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer made-up-token-value"),
        ("TRACELOOP_HEADERS", "Authorization=Bearer%20made-up-token-value"),
        ("UPSTREAM", "Basic bWFkZTp1cA=="),
        ("VECTOR_DB_CONFIG", "{\"provider\":\"made-up\",\"api_key\":\"made-up-token-value\"}"),
        ("PLATFORM", "tfy_madeupmadeupmadeupmadeup"),
        ("PAYMENTS", "rk_live_madeupmadeupmadeup"),
        ("MAILER", "SG.madeupmadeup.madeupmadeupmadeupmadeup"),
        ("STORE", "hvs.madeupmadeupmadeupmadeup"),
        ("WORKSPACE", "dapi00000000000000000000000000000000"),
    ];
    let others = [
        ("EMPTY_CONFIG", "{\"provider\":\"made-up\",\"api_key\":\"\"}"),
        ("CACHE_PASSWORD", "${k8s-secret/made-up-creds/CACHE_PASSWORD}"),
        ("STAGED_PASSWORD", "tfy-secret://my-org:${STAGE}-app:KEY"),
        ("LOG", "info"),
    ];
    let variables: Vec<_> = secrets.iter().map(|(name, _)| *name).collect();
    let all = || secrets.iter().chain(&others);
    let quoted = |text: &str| Value::from(text).to_string();
    let pairs = |pair: &dyn Fn(&str, &str) -> String| {
        all().map(|(name, value)| pair(name, &quoted(value))).collect::<Vec<_>>()
    };
    let map = pairs(&|name, value| format!("{name}: {value}")).join(", ");
    let list = pairs(&|name, value| format!("{{name: {name}, value: {value}}}")).join(", ");
    for text in [
        format!("env: {{{map}}}\n"),
        format!("env: [{list}]\n"),
        format!("a: b\n---\nvalues: {{deep: [{{any: {{{map}}}}}]}}\n"),
        format!("parameters: [{list}]\n"),
        format!("x: &x {{{map}}}\ny: {{<<: *x}}\n"),
        format!("kind: ConfigMap\r\ndata: {{{map}}}\r\n"),
        format!("{{{}}}", pairs(&|name, value| format!("{}: {value}", quoted(name))).join(",\n\t")),
    ] {
        let ran = bed.run(&text, &[], &variables).ended_with(0);
        let expected = secrets.iter().fold(text, |text, (name, value)| {
            let reference = quoted(&format!("tfy-secret://my-tenant:g:{name}"));
            let text = text
                .replace(&format!("{name}: {}", quoted(value)), &format!("{name}: {reference}"));
            let text = text.replace(
                &format!("\"{name}\": {}", quoted(value)),
                &format!("\"{name}\": {reference}"),
            );
            text.replace(
                &format!("name: {name}, value: {}", quoted(value)),
                &format!("name: {name}, value: {reference}"),
            )
        });
        assert_eq!(ran.stdout, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_variable_for_two_values_is_refused() {
    let bed = Bed::new().await;
    let text = "a:\n  env: {DB_PASSWORD: hunter2-1}\nb:\n- env: {DB_PASSWORD: hunter2-2}\n";
    let ran = bed.run(text, &[], &["DB_PASSWORD"]).ended_with(1);
    assert!(ran.stderr.contains("a.env.DB_PASSWORD (line 2) and b[0].env.DB_PASSWORD (line 4)"));
    let ran = bed.run(text, &["--not", "b[0].env.DB_PASSWORD"], &["DB_PASSWORD"]).ended_with(0);
    let again = ["--group", "other"];
    let path = bed.folder.path().join("half.yaml");
    fs::write(&path, &ran.stdout).unwrap();
    let mut command = example_on(
        &bed.fake,
        "secrets_before_deploy",
        &[&[path.to_str().unwrap(), "--yes"], &again[..]].concat(),
    );
    let whole = command.env("DB_PASSWORD", "from-the-environment-2").run().ended_with(0).stdout;
    assert!(whole.contains(":g:DB_PASSWORD") && whole.contains(":other:DB_PASSWORD"), "{whole}");
    assert!(!whole.contains("hunter2"), "{whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheme_that_the_variable_lacks_is_pointed_out() {
    let bed = Bed::new().await;
    let text = "headers: {Authorization: Bearer made-up-token}\n";
    let ran = bed.run(text, &[], &["HEADERS_AUTHORIZATION"]).ended_with(0);
    assert!(ran.stderr.contains("begins with an authorization scheme"), "{}", ran.stderr);
}

/// None of it may take long or much memory, or be printed.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_manifests_end_with_a_clear_message_and_nothing_written() {
    const MEGABYTE: usize = 1 << 20;
    const LESS: usize = MEGABYTE / 8;
    let bed = Bed::new().await;
    let many = |text: &str| text.repeat(MEGABYTE / text.len());
    let less = |text: &str| text.repeat(LESS / text.len());
    for (text, message) in [
        (many("["), "nested too deep at line 1"),
        (many("{a: "), "nested too deep at line 1"),
        (many("- "), "nested more than 100 deep at line 1"),
        (many("? "), "nested more than 100 deep at line 1"),
        (format!("{}: x\n", many("hunter2")), "not valid YAML or JSON at line 1"),
        (format!("a: \"{}", many("hunter2\n")), "not valid YAML or JSON at line 1"),
        ("a: hunter2\nb: \0\npassword: hunter2\n".to_owned(), "not valid YAML or JSON at line 2"),
        ("\0\0\0".to_owned(), "not valid YAML or JSON at line 1"),
        (format!("a: &a {}\nb: *nobody\n", many("x")), "not valid YAML or JSON at line 2"),
        (format!("a: |\n  {}password: hunter2\n", less("x: y\n  ")), "1 place(s)"),
        (less("a_password: hunter2\n"), "more than 1000 values look like secrets"),
    ] {
        let out = bed.folder.path().join("out.yaml");
        let ran = bed.run(&text, &["--out", out.to_str().unwrap()], &[]).ended_with(1);
        assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
        assert!(ran.stdout.is_empty() && ran.stderr.len() < 2000 && !out.exists(), "{message}");
    }
    // These are odd, and hold no secret.
    let bomb = (1..60).fold("a0: &a0 [x, x]\n".to_owned(), |text, i| {
        format!("{text}a{i}: &a{i} [*a{0}, *a{0}]\n", i - 1)
    });
    for text in [
        bomb,
        many("x"),
        format!("a: '{}'", less("${")),
        format!("a: '{}'", less("[")),
        less("# c\n"),
    ] {
        assert!(bed.run(&text, &[], &[]).ended_with(0).stdout == text);
    }
    assert_eq!(bed.fake.request_count(), 0);
    // Bytes that are not text.
    let path = bed.folder.path().join("made.yaml");
    fs::write(&path, b"a: \xff\xfe").unwrap();
    example("secrets_before_deploy", &[path.to_str().unwrap()]).run().ended_with(1);
}

/// Any JSON without a secret in it.
fn harmless() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec![
        "",
        "info",
        "8080",
        "https://h:80/p?a=b",
        "ä \u{1f600}",
        "a: b",
        "- x",
        "#",
        "{{ .Values.x }}",
        "$(X)",
        "'\"\\",
        "a\nb\n",
        "tfy-secret://t:g:k",
        "Bearer ${X}",
        "true",
        "~",
        "...",
    ]);
    let name = prop::sample::select(vec![
        "a",
        "env",
        "name",
        "value",
        "data",
        "kind",
        "ä",
        "log.level",
        "",
        "x y",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..5)
                .prop_map(|fields| fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// In every notation and with every kind of line end.
    #[test]
    fn a_manifest_without_secrets_comes_out_byte_for_byte(value in harmless(), form in 0..5) {
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let text = match form {
            0 => value.to_string(),
            1 => pretty.replace('\n', "\r\n"),
            2 => pretty.replace("  ", "\t"),
            3 => serde_saphyr::to_string(&value).unwrap(),
            _ => format!("# c\r\n--- # d\r\n{}", serde_saphyr::to_string(&value).unwrap().replace('\n', "\r\n")),
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, &text).unwrap();
        let ran = example("secrets_before_deploy", &[file.path().to_str().unwrap()]).run();
        prop_assert_eq!(ran.code, Some(0), "{}: {}", text, ran.all());
        prop_assert_eq!(ran.stdout, text);
    }
}
