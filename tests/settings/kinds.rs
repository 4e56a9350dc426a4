//! How a value's text is read as each kind of type.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use truefoundry_secrets::{Error, SecretValue};

use crate::{map, problems};

#[derive(Debug, Deserialize)]
struct One<T> {
    field: T,
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    map([("FIELD", text)]).deserialize::<One<T>>().map(|one| one.field)
}

/// What the error says was expected.
#[track_caller]
fn expected<T: DeserializeOwned>(text: &str) -> String {
    let Err(error) = read::<T>(text) else { panic!("accepted") };
    let (missing, invalid, _) = problems(&error);
    assert!(missing.is_empty() && invalid.len() == 1 && invalid[0].0 == "FIELD", "{error}");
    invalid[0].1.clone()
}

#[test]
fn numbers_and_booleans_are_parsed_from_the_trimmed_text() {
    assert_eq!(read::<u16>(" 5432\n").unwrap(), 5432);
    assert_eq!(read::<i8>("-7").unwrap(), -7);
    assert_eq!(read::<u128>(&u128::MAX.to_string()).unwrap(), u128::MAX);
    assert_eq!(read::<i128>(&i128::MIN.to_string()).unwrap(), i128::MIN);
    assert!((read::<f64>("\t2.5 ").unwrap() - 2.5).abs() < f64::EPSILON);
    assert!(read::<bool>("true\n").unwrap());
    assert_eq!(expected::<u8>("256"), "u8");
    assert_eq!(expected::<bool>("yes"), "bool");
    assert_eq!(expected::<u32>(""), "u32");
}

#[test]
fn text_is_never_trimmed() {
    assert_eq!(read::<String>(" a \n").unwrap(), " a \n");
    assert_eq!(read::<SecretValue>(" a \n").unwrap().expose_secret(), " a \n");
    assert_eq!(read::<char>(" ").unwrap(), ' ');
    assert_eq!(expected::<char>("x "), "one character");
}

#[test]
fn an_empty_text_is_a_value() {
    assert_eq!(read::<Option<String>>("").unwrap().as_deref(), Some(""));
    assert!(read::<Option<SecretValue>>("").unwrap().unwrap().is_empty());
    assert_eq!(expected::<Option<u32>>(""), "u32");
    assert_eq!(map([]).deserialize::<One<Option<u32>>>().unwrap().field, None);
}

#[test]
fn lists_maps_and_structs_are_read_from_json() {
    assert_eq!(read::<Vec<String>>(r#"["a", "b,c"]"#).unwrap(), ["a", "b,c"]);
    assert_eq!(read::<(u8, String)>(r#"[1, "x"]"#).unwrap(), (1, "x".to_owned()));
    assert_eq!(read::<BTreeMap<String, u8>>(r#"{"a": 1}"#).unwrap()["a"], 1);
    assert_eq!(read::<One<u8>>(r#"{"field": 1}"#).unwrap().field, 1);
    let secrets = read::<Vec<SecretValue>>(r#"["a\nb"]"#).unwrap();
    assert_eq!(secrets[0].expose_secret(), "a\nb");
    assert_eq!(expected::<Vec<u8>>("1,2"), "a list in JSON");
    assert_eq!(expected::<(u8, u8)>("[1]"), "a list of 2 in JSON");
    assert_eq!(expected::<BTreeMap<String, u8>>(r#"{"a": 1} x"#), "an object in JSON");
    assert_eq!(expected::<One<u8>>("{}"), "One as an object in JSON");
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    ReadOnly,
    Sized(u32),
    Both { reads: u32 },
}

#[test]
fn an_enum_is_its_variants_name_or_json_with_content() {
    assert_eq!(read::<Mode>("read-only").unwrap(), Mode::ReadOnly);
    assert_eq!(read::<Mode>(r#"{"sized": 7}"#).unwrap(), Mode::Sized(7));
    assert_eq!(read::<Mode>(r#" {"both": {"reads": 1}}"#).unwrap(), Mode::Both { reads: 1 });
    for text in ["other", "sized", "both", " read-only", r#"{"sized": "x"}"#, "\"read-only\"", ""] {
        assert_eq!(expected::<Mode>(text), "one of read-only, sized, both", "{text}");
    }
}

#[derive(Debug, Deserialize, PartialEq)]
struct Port(u16);

#[derive(Debug, Deserialize, PartialEq)]
struct Marker;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Either {
    Number(u32),
    Text(String),
}

#[test]
fn newtypes_are_what_they_hold_and_what_takes_anything_gets_the_text() {
    assert_eq!(read::<Port>("80").unwrap(), Port(80));
    assert_eq!(expected::<Port>("x"), "u16");
    assert_eq!(read::<Marker>("").unwrap(), Marker);
    assert_eq!(expected::<Marker>("x"), "nothing");
    assert_eq!(read::<Either>("80").unwrap(), Either::Text("80".to_owned()));
    assert_eq!(read::<serde_json::Value>("80").unwrap(), serde_json::json!("80"));
    assert_eq!(read::<std::net::Ipv4Addr>("10.0.0.1").unwrap().octets(), [10, 0, 0, 1]);
}

#[test]
fn maps_options_and_newtypes_are_settings_too() {
    #[derive(Debug, Deserialize)]
    struct Whole(Option<One<u8>>);
    let values = map([("A-B", "1"), ("C", "2")]);
    let by_key: BTreeMap<String, u8> = values.deserialize().unwrap();
    assert_eq!(by_key["A-B"], 1);
    assert_eq!(map([("Field", "1")]).deserialize::<Whole>().unwrap().0.unwrap().field, 1);
    let Err(error) = values.deserialize::<u32>() else { panic!("a map is no number") };
    assert!(matches!(error, Error::InvalidSettings { .. }), "{error:?}");
}

#[test]
fn a_value_parses_as_another_type_and_the_error_quotes_nothing() {
    assert_eq!(SecretValue::from(" 5432\n").parse::<u16>().unwrap(), 5432);
    let error = SecretValue::from("hunter2").parse::<u16>().unwrap_err();
    assert_eq!(error.to_string(), "invalid value: it does not parse as u16");
}
