#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::Value;

use super::rewrite_refs;
use crate::models::SecretRef;
use crate::references::SecretMap;
use crate::references::find_refs::{find_refs, steps};

fn reference(fqn: &str) -> SecretRef {
    fqn.parse().unwrap()
}

/// The text with every reference replaced by this one.
fn all_to(text: &str, fqn: &str) -> Result<String, super::UnwritableRef> {
    let new = reference(fqn);
    rewrite_refs(text, |_| Some(new.clone()))
}

#[test]
fn quotes_escapes_and_comments_stay_in_every_format() {
    for (before, after) in [
        // YAML.
        ("A: tfy-secret://t:g:k # why\n", "A: tfy-secret://n:h:l # why\n"),
        ("- 'tfy-secret://t:g:k'\r\n", "- 'tfy-secret://n:h:l'\r\n"),
        ("a: {b: tfy-secret://t:g:k, c: 1}", "a: {b: tfy-secret://n:h:l, c: 1}"),
        ("A: &x \"tfy-secret://t:g:k\"\nB: *x", "A: &x \"tfy-secret://n:h:l\"\nB: *x"),
        ("auth: \"Bearer tfy-secret://t:g:k\"", "auth: \"Bearer tfy-secret://n:h:l\""),
        ("a: |\n  K=tfy-secret://t:g:k\n", "a: |\n  K=tfy-secret://n:h:l\n"),
        // JSON, also within a text of its own.
        (r#"{"A": "tfy-secret:\/\/t:g:k"}"#, r#"{"A": "tfy-secret:\/\/n:h:l"}"#),
        (r#""{\"A\": \"tfy-secret://t:g:k\"}""#, r#""{\"A\": \"tfy-secret://n:h:l\"}""#),
        (r#""{\"A\": \"tfy-secret:\\/\\/t:g:k\"}""#, r#""{\"A\": \"tfy-secret:\\/\\/n:h:l\"}""#),
        // dotenv and a shell.
        ("export A=tfy-secret://t:g:k\n#", "export A=tfy-secret://n:h:l\n#"),
        ("A='tfy-secret://t:g:k'", "A='tfy-secret://n:h:l'"),
        ("helm --set a=tfy-secret://t:g:k,b=1", "helm --set a=tfy-secret://n:h:l,b=1"),
        // Helm.
        (
            "{{- if .x }}\n  A: {{ \"tfy-secret://t:g:k\" | quote }}\n{{- end }}",
            "{{- if .x }}\n  A: {{ \"tfy-secret://n:h:l\" | quote }}\n{{- end }}",
        ),
        // HCL.
        (
            "env = {\n  A = \"tfy-secret://t:g:k\" # why\n}\n",
            "env = {\n  A = \"tfy-secret://n:h:l\" # why\n}\n",
        ),
        ("a = <<EOF\nA: tfy-secret://t:g:k\nEOF\n", "a = <<EOF\nA: tfy-secret://n:h:l\nEOF\n"),
    ] {
        assert_eq!(all_to(before, "n:h:l").as_deref(), Ok(after));
    }
}

#[test]
fn what_is_no_reference_stays() {
    let text = "a: tfy-secret://t:g:${KEY}\nb: tfy-secret://g/K\n# tfy-secret://t:g:k, see tfy-secret://\n";
    let new = "a: tfy-secret://t:g:${KEY}\nb: tfy-secret://g/K\n# tfy-secret://n:h:l, see tfy-secret://\n";
    assert_eq!(all_to(text, "n:h:l").as_deref(), Ok(new));
    let text = "A=tfy-secret://t:g:a\nB=tfy-secret://t:g:b\nC=tfy-secret://t:x:c";
    let only_g = rewrite_refs(text, |found| {
        let old = found.reference();
        (old.group() == "g").then(|| SecretRef::new("n", "h", old.key()).unwrap())
    });
    let new = "A=tfy-secret://n:h:a\nB=tfy-secret://n:h:b\nC=tfy-secret://t:x:c";
    assert_eq!(only_g.as_deref(), Ok(new));
}

#[test]
fn odd_keys_are_escaped_as_the_quotes_around_them_ask() {
    for (text, key, new) in [
        ("'tfy-secret://t:g:k'", "it's", "'tfy-secret://n:h:it''s'"),
        (r#""tfy-secret://t:g:k""#, r#"a "b" \c/d"#, r#""tfy-secret://n:h:a \"b\" \\c/d""#),
        (r#""tfy-secret:\/\/t:g:k""#, "c/d", r#""tfy-secret:\/\/n:h:c\/d""#),
        ("A: tfy-secret://t:g:k\n", "a b", "A: tfy-secret://n:h:a b\n"),
    ] {
        assert_eq!(all_to(text, &format!("n:h:{key}")).as_deref(), Ok(new));
    }
}

#[test]
fn what_cannot_be_written_at_its_place_is_an_error_that_says_where() {
    for (text, key) in [
        ("x\nsee tfy-secret://t:g:k here", "a b"),
        ("x\nA: tfy-secret://t:g:k\n", "a: b"),
        ("x\nA: tfy-secret://t:g:k\n", "a #b"),
        ("x\nA: [tfy-secret://t:g:k, b]\n", "a, b"),
        ("x\nA=tfy-secret://t:g:k", "a "),
        ("x\nA: `tfy-secret://t:g:k`", "a`b"),
        (r#"x\n"\"tfy-secret://t:g:k\"""#, r#"a"b"#),
        // Quotes within others: what they mean to the outer ones is unknown.
        ("x\na: \"echo 'tfy-secret://t:g:k'\"", r#"a"b"#),
        ("x\na: \"echo 'tfy-secret://t:g:k'\"", r"a\d"),
        ("x\na: \"echo 'tfy-secret://t:g:k'\"", "it's"),
        ("x\na: '{\"A\": \"tfy-secret://t:g:k\"}'", "it's"),
        ("x\n\"{\\\"A\\\": \\\"tfy-secret://t:g:k\\\"}\"", r"a\d"),
        // Two quotes stand for one in YAML, but neither in dotenv nor in a shell.
        ("x\nA='tfy-secret://t:g:k'", "it's"),
    ] {
        let error = all_to(text, &format!("n:h:{key}")).unwrap_err();
        assert_eq!(error.reference().key(), key);
        let line = if text.contains('\n') { 2 } else { 1 };
        let place = format!("line {line}, column {}: tfy-secret://n:h:", error.column());
        assert_eq!(error.line(), line);
        assert!(error.to_string().starts_with(&place), "{error}");
    }
    // The second is fine; it is the first that would not be found.
    let text = "see tfy-secret://t:g:a and 'tfy-secret://t:g:b'";
    let error = all_to(text, "n:h:a b").unwrap_err();
    assert_eq!((error.line(), error.column()), (1, 5));
}

#[test]
fn the_cost_is_linear() {
    let new = reference("a-longer-tenant:group/of/that:key");
    for unit in [
        "tfy-secret://t:g:k ",
        "A: tfy-secret://t:g:k, x\n",
        "'tfy-secret://t:g:k'",
        "\"tfy-secret://t:g:k\"",
        "'tfy-secret://t:g:k ",
        "tfy-secret:\\/\\/t:g:k ",
        "\\\"tfy-secret://t:g:k\\\"",
        "A=tfy-secret://t:g:k",
        "tfy-secret://x ",
    ] {
        let cost = |length: usize| {
            let text = unit.repeat(length / unit.len());
            steps::taken_by(|| drop(rewrite_refs(&text, |_| Some(new.clone()))))
        };
        let (small, large) = (cost(4_000), cost(16_000));
        assert!(large <= 5 * small, "{unit}: {small}, then {large} steps");
    }
}

fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9-]{1,6}",
        1 => r#"[a-z/'"\\#,;: ()<>`|&*.!?é-]{1,6}"#,
    ]
}

/// References, most of which can be written anywhere.
fn any_reference() -> impl Strategy<Value = SecretRef> {
    (part(), part(), part())
        .prop_filter_map("no reference", |(t, g, k)| SecretRef::new(&t, &g, &k).ok())
}

/// Texts of all formats, of references in them, and of what comes near.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => any_reference().prop_map(|reference| reference.to_string()),
        1 => any_reference().prop_map(|one| one.as_str().replace('/', "\\/")),
        1 => Just("tfy-secret://".to_owned()),
        1 => Just("tfy-secret://t:g:${K}".to_owned()),
        2 => prop::sample::select(vec!["A: ", "\n  B: ", "\n- ", " # ", "\nA=", "{\"a\": ", ", ", "{{ ", " }}"])
            .prop_map(str::to_owned),
        3 => r#"['"`\\\n\[\]{}:,a ]{0,3}"#,
    ];
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

fn names(text: &str) -> Vec<Result<SecretRef, String>> {
    let problem = |malformed: super::super::MalformedRef| malformed.problem().to_string();
    find_refs(text).map(|it| it.map(super::FoundRef::into_reference).map_err(problem)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_identity_changes_no_byte(text in any_text()) {
        let same = rewrite_refs(&text, |found| Some(found.reference().clone()));
        prop_assert_eq!(same.as_ref(), Ok(&text));
        let left = rewrite_refs(&text, |_| None);
        prop_assert_eq!(left.as_ref(), Ok(&text));
    }

    #[test]
    fn what_was_rewritten_is_found_again(text in any_text(), new in any_reference(), every in 1..3_usize) {
        let mut number = 0;
        let mut expected: Vec<_> = names(&text);
        for one in expected.iter_mut().flatten() {
            if number % every == 0 {
                *one = new.clone();
            }
            number += 1;
        }
        number = 0;
        let rewritten = rewrite_refs(&text, |_| {
            number += 1;
            ((number - 1) % every == 0).then(|| new.clone())
        });
        let Ok(rewritten) = rewritten else { return Ok(()) };
        prop_assert_eq!(names(&rewritten), expected);
        // And back again, but for how it was escaped.
        let around = |text: &str| {
            let mut rest = text.to_owned();
            let ranges = find_refs(text).map(|it| it.map_or_else(|bad| bad.range(), |good| good.range()));
            ranges.collect::<Vec<_>>().into_iter().rev().for_each(|range| rest.replace_range(range, "@"));
            rest
        };
        prop_assert_eq!(around(&rewritten), around(&text));
    }

    /// The format's own reader has the new reference, and all other values as before.
    #[test]
    fn readers_of_the_formats_see_the_new_reference(new in any_reference(), format in 0..11_usize) {
        let yaml = |text: &str| serde_saphyr::from_str::<Value>(text).unwrap();
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let dotenv = |text: &str| {
            // It refuses what dotenv readers do not agree on.
            let Ok(map) = SecretMap::from_dotenv(text) else { return Value::Null };
            map.iter().map(|(key, value)| (key.to_owned(), Value::from(value.expose_secret()))).collect()
        };
        let within_yaml = |text: &str| json(yaml(text)["T"].as_str().unwrap());
        let (text, read): (&str, &dyn Fn(&str) -> Value) = match format {
            0 => ("A: tfy-secret://t:g:k\nB: x", &yaml),
            1 => ("A: 'tfy-secret://t:g:k'\nB: x", &yaml),
            2 => ("A: \"tfy-secret://t:g:k\"\nB: x", &yaml),
            3 => ("{A: tfy-secret://t:g:k, B: x}", &yaml),
            4 => (r#"{"A": "tfy-secret://t:g:k", "B": "x"}"#, &json),
            5 => (r#"{"A": "tfy-secret:\/\/t:g:k", "B": "x"}"#, &json),
            6 => ("A=tfy-secret://t:g:k\nB=x", &dotenv),
            7 => ("A: tfy-secret://t:g:k # a note\nB: x", &yaml),
            8 => (r#"T: '{"A": "tfy-secret://t:g:k", "B": "x"}'"#, &within_yaml),
            9 => (r#"T: "{\"A\": \"tfy-secret://t:g:k\", \"B\": \"x\"}""#, &within_yaml),
            _ => ("A: >-\n  tfy-secret://t:g:k\nB: x", &yaml),
        };
        let Ok(rewritten) = rewrite_refs(text, |_| Some(new.clone())) else { return Ok(()) };
        let after = read(&rewritten);
        prop_assume!(!after.is_null());
        prop_assert_eq!(after["A"].as_str(), Some(new.as_str()), "{}", rewritten);
        prop_assert_eq!(&after["B"], "x");
    }
}
