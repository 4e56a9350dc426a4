//! A `SecretValue` in JSON: text is accepted, and no error about anything else quotes it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use truefoundry_secrets::SecretValue;

#[derive(Deserialize)]
#[allow(dead_code)]
struct Holder {
    value: SecretValue,
    option: Option<SecretValue>,
    #[serde(default)]
    list: Vec<SecretValue>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Newtype(SecretValue);

#[track_caller]
fn refused<T: DeserializeOwned>(value: &Value) {
    let text = value.to_string();
    let errors = [
        serde_json::from_str::<T>(&text).err(),
        serde_json::from_slice::<T>(text.as_bytes()).err(),
        serde_json::from_reader::<_, T>(text.as_bytes()).err(),
        serde_json::from_value::<T>(value.clone()).err(),
    ];
    for error in errors {
        let Some(error) = error else { panic!("accepted: {text}") };
        let said = format!("{error} {error:?} {error:#?}");
        for needle in ["70013377", "zqneedle", "true"] {
            assert!(!said.contains(needle), "{text}: {said}");
        }
    }
}

#[test]
fn nothing_but_text_is_a_value_and_no_error_quotes_it() {
    for other in [
        json!(70_013_377),
        json!(-70_013_377),
        json!(70_013_377.5),
        json!(true),
        json!(null),
        json!(["zqneedle"]),
        json!({"zqneedle": "zqneedle"}),
        json!({"value": {"zqneedle": 70_013_377}}),
    ] {
        refused::<SecretValue>(&other);
        refused::<Newtype>(&other);
        refused::<(SecretValue, String)>(&json!([other, "x"]));
        refused::<BTreeMap<String, SecretValue>>(&json!({"key": other}));
        refused::<Holder>(&json!({"value": other}));
        refused::<Holder>(&json!({"value": "x", "list": [other]}));
        if !other.is_null() {
            refused::<Option<SecretValue>>(&other);
            refused::<Holder>(&json!({"value": "x", "option": other}));
        }
    }
}

#[test]
fn text_is_accepted_in_all_of_them() {
    let holder: Holder =
        serde_json::from_value(json!({"value": "a\"b", "option": null, "list": ["x"]})).unwrap();
    assert_eq!(holder.value.expose_secret(), "a\"b");
    let holder: Holder = serde_json::from_str(r#"{"value": "a\nb", "option": ""}"#).unwrap();
    assert_eq!(holder.value.expose_secret(), "a\nb");
    assert!(holder.option.unwrap().is_empty());
}

#[test]
fn broken_json_around_a_value_is_not_quoted() {
    for text in [r#""zqneedle"#, r#""zqneedle\q""#, "\"zqneedle\n\"", r#""zqneedle" zqneedle"#] {
        let error = serde_json::from_str::<SecretValue>(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("zqneedle"), "{error}");
    }
}
