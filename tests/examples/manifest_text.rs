//! Replacing values in a manifest's text.

use proptest::prelude::*;

use crate::manifest::{Kind, Manifest, Place, Refusal};

const REF: &str = "tfy-secret://t:g:K";

fn replace(text: &str, names: &[&str]) -> Result<String, Refusal> {
    let manifest = Manifest::parse(text)?;
    let wanted = |place: &&Place| is_value(place) && names.contains(&manifest.name_at(place));
    let changes: Vec<_> = manifest.places().iter().filter(wanted).map(|p| (p, REF)).collect();
    assert_eq!(changes.len(), names.len(), "{text}");
    manifest.replace(&changes)
}

fn is_value(place: &Place) -> bool {
    place.kind() != Kind::Key
}

#[track_caller]
fn becomes(before: &str, after: &str) {
    assert_eq!(replace(before, &["A"]).unwrap(), after);
}

#[test]
fn every_way_to_write_a_value() {
    becomes("env:\n  A: x # c\n  B: y\n", "env:\n  A: tfy-secret://t:g:K # c\n  B: y\n");
    becomes("env:\n  A: 'it''s'\n", "env:\n  A: 'tfy-secret://t:g:K'\n");
    becomes("env:\n  'A' : \"a\\\"b # no\"\n", "env:\n  'A' : \"tfy-secret://t:g:K\"\n");
    becomes("env:\n  A:\n    two\n    lines\n", "env:\n  A:\n    tfy-secret://t:g:K\n");
    becomes("env:\n  A:\n  B: y\n", "env:\n  A: tfy-secret://t:g:K\n  B: y\n");
    becomes("env:\n  A: # c\n  B: y\n", "env:\n  A: tfy-secret://t:g:K # c\n  B: y\n");
    becomes("env: {A: x, B: y}\n", "env: {A: tfy-secret://t:g:K, B: y}\n");
    becomes("env: {B: y, A: }\n", "env: {B: y, A: tfy-secret://t:g:K }\n");
    becomes("env: {\"A\":x}", "env: {\"A\":tfy-secret://t:g:K}");
    becomes("env: {A: x}", "env: {A: tfy-secret://t:g:K}");
    becomes(
        "\u{feff}env:\r\n  A: ä\r\n  B: y\r\n",
        "\u{feff}env:\r\n  A: tfy-secret://t:g:K\r\n  B: y\r\n",
    );
}

#[test]
fn blocks_of_text() {
    becomes(
        "env:\n  A: |\n    -----BEGIN\n    # not a comment\n\n    x\n\n  # c\n  B: y\n",
        "env:\n  A: tfy-secret://t:g:K\n\n  # c\n  B: y\n",
    );
    becomes("env:\n  A: >-  # c\n    x\n  B: y\n", "env:\n  A: tfy-secret://t:g:K  # c\n  B: y\n");
    becomes("env:\n  A: |2+\n     x\n\n", "env:\n  A: tfy-secret://t:g:K\n\n");
    becomes("env:\n  A: |\n    x", "env:\n  A: tfy-secret://t:g:K");
    becomes(
        "env:\r\n  A: |\r\n    x\r\n    y\r\n  B: c\r\n",
        "env:\r\n  A: tfy-secret://t:g:K\r\n  B: c\r\n",
    );
}

#[test]
fn json_stays_json() {
    becomes(
        "{\n\t\"env\": {\"A\": 12, \"B\": \"\\u00e9\"}\n}\n",
        "{\n\t\"env\": {\"A\": \"tfy-secret://t:g:K\", \"B\": \"\\u00e9\"}\n}\n",
    );
    becomes("{\"env\": {\"A\": null}}", "{\"env\": {\"A\": \"tfy-secret://t:g:K\"}}");
}

#[test]
fn values_of_lists() {
    let replaced = |text: &str, path: &str| {
        let manifest = Manifest::parse(text).unwrap();
        let place =
            manifest.places().iter().find(|p| is_value(p) && manifest.path(p) == path).unwrap();
        manifest.replace(&[(place, REF)]).unwrap()
    };
    assert_eq!(replaced("a:\n- x\n- y # c\n", "a[1]"), "a:\n- x\n- tfy-secret://t:g:K # c\n");
    assert_eq!(replaced("a:\n-\n- y\n", "a[0]"), "a:\n- tfy-secret://t:g:K\n- y\n");
    assert_eq!(
        replaced("# | >\na:\n- |\n  x\n# c | d\n- >-\n  y\n\n- z\n", "a[1]"),
        "# | >\na:\n- |\n  x\n# c | d\n- tfy-secret://t:g:K\n\n- z\n"
    );
    assert_eq!(replaced("[x, 'y']", "[1]"), "[x, 'tfy-secret://t:g:K']");
    assert_eq!(replaced("--- |\n  x\n", "(top)"), "--- tfy-secret://t:g:K\n");
    assert_eq!(replaced("env:\n- 'A=x'\n", "env[0]"), "env:\n- 'A=tfy-secret://t:g:K'\n");
    assert_eq!(replaced("env: [A=x]", "env[0]"), "env: [A=tfy-secret://t:g:K]");
}

/// Name, variable, path and line.
fn places(text: &str) -> Vec<(String, String, String, usize)> {
    let manifest = Manifest::parse(text).unwrap();
    let place = |p: &Place| {
        let name = manifest.name_at(p).to_owned();
        (name, manifest.variable(p), manifest.path(p), manifest.line(p))
    };
    manifest.places().iter().filter(|p| is_value(p)).map(place).collect()
}

#[track_caller]
fn stands_at(text: &str, name: &str, variable: &str, path: &str, line: usize) {
    let expected = (name.to_owned(), variable.to_owned(), path.to_owned(), line);
    let places = places(text);
    assert!(places.contains(&expected), "{places:?}");
}

#[test]
fn every_value_has_a_name_a_variable_a_path_and_a_line() {
    stands_at("a:\n  - env:\n      dbPass: x\n", "dbPass", "dbPass", "a[0].env.dbPass", 3);
    let list = "env:\n  - name: A\n    value: x\n  - {value: y, name: B-C}\n";
    stands_at(list, "A", "A", "env[0].value", 3);
    stands_at(list, "B-C", "B-C", "env[1].value", 4);
    stands_at("environment: [A=x=y]", "A", "A", "environment[0]", 1);
    stands_at("a: {dbPassword: x}", "dbPassword", "A_DB_PASSWORD", "a.dbPassword", 1);
    stands_at("a: {DB: x}", "DB", "DB", "a.DB", 1);
    stands_at("p:\n- {name: a.b, value: x}", "a.b", "P_A_B", "p[0].value", 2);
    stands_at("p: {name: a, value: x}", "a", "P_A", "p.value", 1);
    stands_at("args: [--token, x]", "--token", "ARGS_1", "args[1]", 1);
    stands_at("keys: [[x]]", "keys", "KEYS_0_0", "keys[0][0]", 1);
    stands_at("data:\n  a.yaml: x", "a.yaml", "DATA_A_YAML", "data.\"a.yaml\"", 2);
    stands_at("? [a]\n: x", "", "NAME", "(name)", 2);
    stands_at("---\na: x\n---\nb: y\n", "b", "B", "b", 4);
    stands_at("1: x", "1", "SECRET_1", "1", 1);
    stands_at("x", "", "SECRET_", "(top)", 1);
    // A name that is a secret is not shown, and a long one is cut.
    stands_at(
        "{ghp_madeupmadeupmadeupmadeup: x}",
        "ghp_madeupmadeupmadeupmadeup",
        "NAME",
        "(name)",
        1,
    );
    let long = "k".repeat(900);
    let path = format!("{}...", &long[..60]);
    stands_at(&format!("{long}: x"), &long, &"K".repeat(60), &path, 1);
    // A variable of that name is not a map of variables.
    stands_at("env:\n  env: x\n  b: y\n", "b", "b", "env.b", 3);
}

#[test]
fn a_manifest_has_the_name_of_its_first_document_with_one() {
    for (text, name) in [
        ("a: {name: x}\nname: y\n", Some("y")),
        ("kind: Pod\nmetadata: {name: z}\n", Some("z")),
        ("a: b\n---\nname: y\n", Some("y")),
        ("- name: x\n", None),
        ("name:\n", None),
    ] {
        assert_eq!(Manifest::parse(text).unwrap().name(), name, "{text}");
    }
}

#[test]
fn what_is_not_understood_is_refused_without_being_repeated() {
    for text in [
        "env:\n  A: \"hunter2\n",
        "env: {A: hunter2\n",
        "env:\n  A: {{ .Values.hunter2 }}-x\n",
        "env:\n  A: *hunter2\n",
        "a: hunter2\n\0\nb: hunter2\n",
        "{\"a\": \"hunter2\\ud83d\"}",
        &format!("a: {}hunter2", "[".repeat(200)),
        &format!("{}hunter2", "- ".repeat(200)),
    ] {
        let Err(Refusal(reason)) = Manifest::parse(text) else { panic!("{text}") };
        assert!(!reason.contains("hunter2") && reason.contains(" at line "), "{reason}");
    }
    let text = "x: &x y\nenv:\n  A: *x\n  B: &b y\n  C: !!str z\n  ? D\n";
    let manifest = Manifest::parse(text).unwrap();
    let fixed = |p: &&Place| p.fixed.is_some() && is_value(p);
    let fixed: Vec<_> = manifest.places().iter().filter(fixed).collect();
    let names: Vec<_> = fixed.iter().map(|p| manifest.name_at(p)).collect();
    assert_eq!(names, ["x", "A", "B", "C"]);
    assert_eq!(manifest.value(fixed[1]), "y");
    assert!(manifest.replace(&[(fixed[1], REF)]).is_err());
}

#[test]
fn odd_references_are_quoted() {
    let manifest = Manifest::parse("env:\n  A: x\n  B: 'x'\n").unwrap();
    let odd = "tfy-secret://t:a 'b' #c:k: \"d\"";
    let values = || manifest.places().iter().filter(|p| is_value(p));
    let changes: Vec<_> = values().map(|place| (place, odd)).collect();
    let out = manifest.replace(&changes).unwrap();
    let after = Manifest::parse(&out).unwrap();
    let mut values = after.places().iter().filter(|p| is_value(p));
    assert!(values.all(|place| after.value(place) == odd), "{out}");
}

proptest! {
    /// Any text is refused, or only the named values differ when another YAML reader reads it.
    #[test]
    fn nothing_else_changes(
        lines in prop::collection::vec(
            prop::sample::select(vec![
                "env:", "  A: x", "  A: |", "  A:", "  A: >-", "  A: 'x", "    x'", "    text", "  B: \"q\"", "  B: y # c",
                "# c", "", "  # c", "      more", "other: {env: {C: 1}}", "  A: \"", "    \"", "  D: [1, 2]", "  ", "---",
                "  A: {", "  }", "\r", "  A: ? x", "  - a", "...", "  -", "  - |", "  - A=x",
            ]),
            0..9,
        ),
    ) {
        let text = format!("env:\n{}\n", lines.join("\n"));
        let Ok(manifest) = Manifest::parse(&text) else { return Ok(()) };
        let wanted = |place: &&Place| {
            let path = manifest.path(place);
            is_value(place) && place.fixed.is_none() && (path == "env.A" || path == "env[0]")
        };
        let changes: Vec<_> = manifest.places().iter().filter(wanted).map(|p| (p, REF)).collect();
        let Ok(out) = manifest.replace(&changes) else { return Ok(()) };
        let Ok(before) = serde_saphyr::from_multiple::<serde_json::Value>(&text) else { return Ok(()) };
        let mut after: Vec<serde_json::Value> = serde_saphyr::from_multiple(&out).unwrap();
        let mut before = before;
        prop_assert_eq!(out.matches(REF).count(), changes.len());
        for document in before.iter_mut().chain(&mut after) {
            for path in ["/env/A", "/env/0"] {
                if let Some(value) = document.pointer_mut(path)
                    && !value.is_object()
                    && !value.is_array()
                {
                    *value = "replaced".into();
                }
            }
        }
        prop_assert_eq!(before, after, "{}", out);
    }

    /// Any manifest that can be parsed stays the same, byte for byte, if nothing is replaced.
    #[test]
    fn nothing_replaced_is_the_same_bytes(text in any_text()) {
        if let Ok(manifest) = Manifest::parse(&text) {
            prop_assert_eq!(manifest.replace(&[]).unwrap(), text);
        }
    }
}

/// Text of the characters that mean something, with both kinds of line ends.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b: ",
        "- ",
        "\n",
        "\r\n",
        "  ",
        "'",
        "\"",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "#",
        " # c",
        "|",
        ">",
        "&x ",
        "*x",
        "!t ",
        "\t",
        "---\n",
        "...\n",
        "? ",
        ": ",
        "ä",
        "\u{feff}",
        "1",
        "~",
        "%YAML 1.2\n",
        "\\n",
        "\n\n",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}
