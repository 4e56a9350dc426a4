//! Replacing values in a manifest's text.

use proptest::prelude::*;

use crate::manifest::{Entry, Manifest, Refusal, Value};

const REF: &str = "tfy-secret://t:g:K";

fn replace(text: &str, names: &[&str]) -> Result<String, Refusal> {
    let manifest = Manifest::parse(text)?;
    let wanted = |entry: &&Entry| names.contains(&entry.name.as_str());
    let changes: Vec<_> = manifest.entries().iter().filter(wanted).map(|e| (e, REF)).collect();
    assert_eq!(changes.len(), names.len(), "{text}");
    manifest.replace(&changes)
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
fn env_is_found_wherever_it_is() {
    let text =
        "components:\n  - name: a\n    env:\n      A: x\n  - env: {B: y}\n---\nenv:\n  C: z\n";
    let manifest = Manifest::parse(text).unwrap();
    let names: Vec<_> = manifest.entries().iter().map(|e| (e.name.as_str(), e.line)).collect();
    assert_eq!(names, [("A", 4), ("B", 5), ("C", 8)]);
    assert_eq!(manifest.name(), None);
    assert_eq!(Manifest::parse("a: {name: x}\nname: y\n").unwrap().name(), Some("y"));
    // A variable of that name is no map of variables.
    let text = "env:\n  env: x\n  B: y\n";
    assert_eq!(Manifest::parse(text).unwrap().entries().len(), 2);
}

#[test]
fn what_is_not_understood_is_refused_without_being_repeated() {
    for text in [
        "env:\n  - name: A\n    value: hunter2\n",
        "x: &x {A: hunter2}\nenv: *x\n",
        "x: &x {A: hunter2}\nenv:\n  <<: *x\n",
        "env:\n  A: hunter2\n  A: hunter2\n",
        "env:\n  [a]: hunter2\n",
        "env:\n  A: \"hunter2\n",
        "env: {A: hunter2\n",
    ] {
        let Err(Refusal(reason)) = Manifest::parse(text) else { panic!("{text}") };
        assert!(!reason.contains("hunter2"), "{reason}");
    }
    let text = "x: &x hunter2\nenv:\n  A: *x\n  B: &b y\n  C: !!str z\n  D: {E: f}\n  F: [g]\n";
    let manifest = Manifest::parse(text).unwrap();
    assert!(manifest.entries().iter().all(|entry| matches!(entry.value, Value::Unclear(_))));
}

#[test]
fn odd_references_are_quoted() {
    let manifest = Manifest::parse("env:\n  A: x\n  B: 'x'\n").unwrap();
    let odd = "tfy-secret://t:a 'b' #c:k: \"d\"";
    let changes: Vec<_> = manifest.entries().iter().map(|entry| (entry, odd)).collect();
    let out = manifest.replace(&changes).unwrap();
    let values = Manifest::parse(&out).unwrap();
    for entry in values.entries() {
        assert!(matches!(&entry.value, Value::Text(text) if text == odd), "{out}");
    }
}

proptest! {
    /// Whatever the text, it is refused, or only the values that were named differ in what another reader
    /// of YAML makes of it.
    #[test]
    fn nothing_else_changes(
        lines in prop::collection::vec(
            prop::sample::select(vec![
                "env:", "  A: x", "  A: |", "  A:", "  A: >-", "  A: 'x", "    x'", "    text", "  B: \"q\"", "  B: y # c",
                "# c", "", "  # c", "      more", "other: {env: {C: 1}}", "  A: \"", "    \"", "  D: [1, 2]", "  ", "---",
                "  A: {", "  }", "\r", "  A: ? x", "  - a", "...",
            ]),
            0..9,
        ),
    ) {
        let text = format!("env:\n{}\n", lines.join("\n"));
        let Ok(manifest) = Manifest::parse(&text) else { return Ok(()) };
        let texts = |entry: &&Entry| entry.name == "A" && matches!(entry.value, Value::Text(_));
        let changes: Vec<_> = manifest.entries().iter().filter(texts).map(|e| (e, REF)).collect();
        let Ok(out) = manifest.replace(&changes) else { return Ok(()) };
        let Ok(before) = serde_saphyr::from_multiple::<serde_json::Value>(&text) else { return Ok(()) };
        let mut after: Vec<serde_json::Value> = serde_saphyr::from_multiple(&out).unwrap();
        let mut before = before;
        prop_assert_eq!(out.matches(REF).count(), changes.len());
        for document in before.iter_mut().chain(&mut after) {
            if let Some(value) = document.pointer_mut("/env/A")
                && !value.is_object()
                && !value.is_array()
            {
                *value = "replaced".into();
            }
        }
        prop_assert_eq!(before, after, "{}", out);
    }
}
