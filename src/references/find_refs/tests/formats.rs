//! The reference that is found is the value that the format's own reader gives.

use proptest::prelude::*;
use serde_json::Value;

use super::find_refs;
use crate::models::SecretRef;

fn yaml(text: &str) -> Option<Value> {
    serde_saphyr::from_str(text).ok()
}

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// A reader, the text around the value, and the path to it.
type Format = (fn(&str) -> Option<Value>, &'static str, &'static str, &'static str);

const FORMATS: [Format; 16] = [
    (yaml, "env:\n  A: ", "\n  B: x\n", "/env/A"),
    (yaml, "A: ", "", "/A"),
    (yaml, "A:   ", " # why\n", "/A"),
    (yaml, "A:\n  ", "\nB: x\n", "/A"),
    (yaml, "- x\n- ", "\n- y\n", "/1"),
    (yaml, "env:\n- name: A\n  value: ", "\n- name: B\n", "/env/0/value"),
    (yaml, "a: [x]\nA: ", "\nB: {y: z}\n", "/A"),
    (yaml, "it: \"s]\"\nA: ", "\nB: x\n", "/A"),
    (yaml, "A: [x, ", ", y]\n", "/A/1"),
    (yaml, "A: {b: ", ", c: d}\n", "/A/b"),
    (yaml, "A: {\n  b: ", ",\n  c: d\n}\n", "/A/b"),
    (yaml, "A: '", "'\nB: x\n", "/A"),
    (yaml, "A: \"", "\"\nB: x\n", "/A"),
    (yaml, "? A\n: ", "\n", "/A"),
    (json, "{\"A\": \"", "\", \"B\": \"x\"}", "/A"),
    (json, "[\n\"", "\"\n]", "/0"),
];

/// What ends a value in some format, and is part of it in another.
fn tricky_end() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z0-9]{1,3}",
        r#"[-,;:#|&<>()\[\]{}"'`\\/.!?*%@=+~_^$ ]{1,2}"#,
        "[\u{a0}\u{200b}\u{2003}\u{85}\u{2028}\t\u{ad}é]",
        Just(" #".to_owned()),
        Just(": ".to_owned()),
        Just("\\n".to_owned()),
        Just("\n    ".to_owned()),
        Just("\n\n    ".to_owned()),
        Just("''".to_owned()),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_is_found_is_the_value_that_the_format_has(
        format in 0..FORMATS.len(), end in tricky_end(),
    ) {
        let (read, before, behind, path) = FORMATS[format];
        let text = format!("{before}tfy-secret://t:g:k{end}{behind}");
        let value = read(&text);
        let Some(value) = value.as_ref().and_then(|value| value.pointer(path)?.as_str()) else {
            return Ok(());
        };
        // Escapes that only YAML has stay as they are, and Helm's lines are not YAML yet.
        let has_other_escapes = end.contains('\\') && json(&format!("\"{end}\"")).is_none();
        if (before.ends_with('"') && has_other_escapes) || end.contains("{{") {
            return Ok(());
        }
        let items: Vec<_> = find_refs(&text).collect();
        prop_assert_eq!(items.len(), 1, "{:?}", text);
        match (&items[0], SecretRef::parse(value)) {
            (Ok(found), Ok(reference)) => {
                prop_assert_eq!(found.reference(), &reference, "{:?}", text);
            }
            (Ok(found), Err(_)) => {
                prop_assert!(false, "{text:?} has no reference, but {found:?}");
            }
            // Malformed for a reason that the value does not have: not read as another one.
            (Err(problem), Ok(_)) => {
                prop_assert!(end.contains('\n'), "{text:?} is read as {problem}");
            }
            (Err(_), Err(_)) => {}
        }
    }
}
